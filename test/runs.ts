import type { Json, JsonObject } from '../src/json.ts';
import { parseRun, type Run } from '../src/model/run.ts';

/** A digest that begins with the digit and goes on with it. */
export const digest = (digit: string): string => `sha256:${digit.repeat(64)}`;

/** The TaskRun `ci/build` with uid `uid-1`, unless `metadata` says otherwise, and this status. */
export function taskRun(status: Json | undefined, metadata: JsonObject = {}, spec: JsonObject = {}): Run {
  return run('TaskRun', status, metadata, spec);
}

/** A PipelineRun with this status. */
export function pipelineRun(status: Json | undefined, metadata: JsonObject = {}): Run {
  return run('PipelineRun', status, metadata, {});
}

/** A TaskRun with these results: name and value. */
export function taskRunWith(results: readonly (readonly [name: string, value: Json])[]): Run {
  return taskRun({ results: results.map(([name, value]) => ({ name, value })) });
}

function run(kind: string, status: Json | undefined, metadata: JsonObject, spec: JsonObject): Run {
  return parseRun({
    apiVersion: 'tekton.dev/v1',
    kind,
    metadata: { namespace: 'ci', name: 'build', uid: 'uid-1', ...metadata },
    spec,
    status,
  });
}
