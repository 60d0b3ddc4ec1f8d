/**
 * Records finished runs as Tekton itself writes them, for tests that have none.
 * `node scripts/node.js test/servers/record-tekton.ts` writes test/conformance/tekton.jsonl anew, with other times and uids.
 */
import { writeFile } from 'node:fs/promises';
import { at, isJsonObject, type Json, type JsonObject, objectIn, textIn } from '../../src/json.ts';
import type { RunKind } from '../../src/model/run.ts';
import { ended } from '../integration/world.ts';
import { openTektonWorld } from './tekton-world.ts';

/** The runs that show what tests made by hand do not. */
const recorded: readonly (readonly [RunKind, string])[] = [
  ['TaskRun', 'artifacts'],
  ['TaskRun', 'step-action'],
  ['TaskRun', 'ignored-failure'],
  ['TaskRun', 'failed'],
  ['TaskRun', 'retried'],
  ['TaskRun', 'no-such-task'],
  ['PipelineRun', 'release'],
  ['PipelineRun', 'matrix'],
  ['PipelineRun', 'custom'],
  ['PipelineRun', 'pipeline-stopped'],
];

/** What says nothing of the run: our own marks, who wrote what, and the same settings of Tekton in each. */
function stripped(run: JsonObject): JsonObject {
  const { managedFields: _, annotations, labels, ...metadata } = objectIn(run['metadata']);
  const theirs = (map: Json | undefined): JsonObject =>
    Object.fromEntries(
      Object.entries(objectIn(map)).filter(([name]) => !name.startsWith('chains.tekton.dev/')),
    );
  return {
    ...run,
    metadata: { ...metadata, annotations: theirs(annotations), labels: theirs(labels) },
    status: withoutFlags(run['status'] ?? null),
  };
}

function withoutFlags(value: Json): Json {
  if (Array.isArray(value)) return value.map((entry: Json) => withoutFlags(entry));
  if (!isJsonObject(value)) return value;
  const { featureFlags: _, ...rest } = value;
  return Object.fromEntries(
    Object.entries(rest).map(([key, entry]): [string, Json] => [key, withoutFlags(entry ?? null)]),
  );
}

const tekton = await openTektonWorld();
try {
  await tekton.createCatalogue();
  const lines: string[] = [];
  for (const [kind, name] of recorded) {
    const run = await ended(tekton.world, name, kind);
    const taskRuns = (await tekton.taskRunsOf(run)).map(stripped);
    const line: JsonObject = { name: textIn(at(run, 'metadata', 'name')), run: stripped(run), taskRuns };
    lines.push(JSON.stringify(line));
  }
  await writeFile(new URL('../conformance/tekton.jsonl', import.meta.url), `${lines.join('\n')}\n`);
} finally {
  await tekton.close();
}
