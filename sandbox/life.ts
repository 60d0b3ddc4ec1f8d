import { createHash } from 'node:crypto';
import { at, type JsonObject } from '../src/json.ts';
import { Failure } from './failure.ts';
import type { Kind } from './kinds.ts';
import type { Objects } from './objects.ts';
import { contentOf, type Stored } from './storage.ts';
import { listOf, objectOf, timestamp } from './values.ts';

/** How long a TaskRun waits and runs, in milliseconds. */
export interface LifeOptions {
  /** Default 60. */
  readonly startAfter?: number;
  /** Default 600: long enough for a controller to hold the run. */
  readonly finishAfter?: number;
}

/** Annotation of a TaskRun: a JSON object with the value of each result, since nothing really runs here. */
export const resultsAnnotation = 'sandbox.tekton.dev/results';

/**
 * Plays Tekton: a TaskRun created without a status starts, and then finishes with the results it declares. A result
 * that {@link resultsAnnotation} gives no value gets a made-up one. Returns what stops it.
 */
export function playLives(objects: Objects, options: LifeOptions): () => void {
  const timers = new Set<NodeJS.Timeout>();
  const later = (milliseconds: number, act: () => void) => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      act();
    }, milliseconds);
    timers.add(timer.unref());
  };
  const unfollow = objects.storage.follow(({ kind, before, after }) => {
    if (kind.kind !== 'TaskRun' || before !== undefined || after === undefined) return;
    if (contentOf(after)['status'] !== undefined) return;
    later(options.startAfter ?? 60, () => {
      if (!write(objects, kind, after, started)) return;
      later(options.finishAfter ?? 600, () => write(objects, kind, after, finished));
    });
  });
  return () => {
    unfollow();
    for (const timer of timers) clearTimeout(timer);
  };
}

/** Writes a run's next status; false when the run is gone, is another one by now, or has no room for it. */
function write(
  objects: Objects,
  kind: Kind,
  run: Stored,
  status: (content: JsonObject) => JsonObject,
): boolean {
  if (objects.storage.get(kind, run.key)?.uid !== run.uid) return false;
  const { namespace, name } = run;
  const address = { kind, version: versionOf(run), namespace, name, subresource: 'status' };
  try {
    objects.patch(address, (before) => ({ ...before, status: status(before) }), { manager: 'sandbox' });
    return true;
  } catch (error) {
    if (error instanceof Failure) return false;
    throw error;
  }
}

/** The version that the run was created by, so that its status has the fields of that version. */
function versionOf(run: Stored): string {
  const [created] = listOf(at(contentOf(run), 'metadata', 'managedFields'));
  return at(created, 'apiVersion') === 'tekton.dev/v1beta1' ? 'v1beta1' : 'v1';
}

const sha256 = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`;

function succeeded(status: string, reason: string, message: string): JsonObject {
  return { conditions: [{ type: 'Succeeded', status, reason, message, lastTransitionTime: timestamp() }] };
}

function started(run: JsonObject): JsonObject {
  return {
    ...succeeded('Unknown', 'Running', 'Not all Steps in the Task have finished executing'),
    podName: `${String(at(run, 'metadata', 'name'))}-pod`,
    startTime: timestamp(),
    taskSpec: at(run, 'spec', 'taskSpec') ?? {},
  };
}

function finished(run: JsonObject): JsonObject {
  const before = at(run, 'status');
  const startedAt = at(before, 'startTime') ?? timestamp();
  const steps = listOf(at(run, 'spec', 'taskSpec', 'steps')).map((step, index) => {
    const name = String(at(step, 'name') ?? `unnamed-${index}`);
    const image = String(at(step, 'image') ?? 'scratch');
    const imageID = `${image.replace(/@.*|:[^:/]*$/, '')}@${sha256(image)}`;
    const ended = { exitCode: 0, reason: 'Completed', startedAt, finishedAt: timestamp() };
    return {
      name,
      container: `step-${name}`,
      imageID,
      terminated: { ...ended, containerID: `sandbox://${name}` },
    };
  });
  const beta = at(run, 'apiVersion') === 'tekton.dev/v1beta1';
  const results = resultsOf(run);
  const resources = beta ? resourceResultsOf(run) : [];
  return {
    ...objectOf(before),
    ...succeeded('True', 'Succeeded', 'All Steps have completed executing'),
    ...{ completionTime: timestamp(), steps },
    ...(results.length === 0 ? {} : { [beta ? 'taskResults' : 'results']: results }),
    ...(resources.length === 0 ? {} : { resourcesResult: resources }),
  };
}

function resultsOf(run: JsonObject): readonly JsonObject[] {
  const values = declaredValues(run);
  return listOf(at(run, 'spec', 'taskSpec', 'results')).map((result) => {
    const name = String(at(result, 'name'));
    const type = at(result, 'type') ?? 'string';
    return { name, type, value: at(values, name) ?? madeUp(name, run) };
  });
}

function madeUp(name: string, run: JsonObject): string {
  const unique = `${String(at(run, 'metadata', 'uid'))}/${name}`;
  return name.endsWith('DIGEST') ? sha256(unique) : `sandbox value of ${name}`;
}

function declaredValues(run: JsonObject): unknown {
  const text = at(run, 'metadata', 'annotations', resultsAnnotation);
  try {
    return typeof text === 'string' ? JSON.parse(text) : undefined;
  } catch {
    // A run with a broken annotation still runs: its results get made-up values.
    return undefined;
  }
}

/** What the images that a v1beta1 run puts out as PipelineResources are, as its steps would have reported it. */
function resourceResultsOf(run: JsonObject): readonly JsonObject[] {
  return listOf(at(run, 'spec', 'resources', 'outputs')).flatMap((output) => {
    const resourceName = String(at(output, 'name'));
    const parameters = listOf(at(output, 'resourceSpec', 'params'));
    const url = at(
      parameters.find((entry) => at(entry, 'name') === 'url'),
      'value',
    );
    if (at(output, 'resourceSpec', 'type') !== 'image') return [];
    const digest = sha256(`${String(at(run, 'metadata', 'uid'))}/${resourceName}`);
    return [
      { key: 'url', value: url ?? '', resourceName },
      { key: 'digest', value: digest, resourceName },
    ];
  });
}
