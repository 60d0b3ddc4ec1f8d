import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explain } from '../../src/index.ts';
import { ChainsError } from '../../src/errors.ts';
import { at, isJsonObject, type Json, type JsonObject, listAt, member } from '../../src/json.ts';
import { parseRun, type Run } from '../../src/model/run.ts';
import { linesOf, objectsOf } from '../conformance/cases.ts';
import { mutations } from './changes.ts';
import { failuresOf, verifiedWith } from './remade.ts';

/** Numbers from 0 to below 1, the same at every start (xorshift32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

const lines = [...linesOf('visible.jsonl'), ...linesOf('legacy-tekton.jsonl')];
const slsa = 'https://tekton.dev/chains/v2/slsa';

const formats: readonly (readonly [kind: string, data: Readonly<Record<string, string>>])[] = [
  ...['tekton', 'in-toto', 'slsa/v1', 'slsa/v2alpha3', 'slsa/v2alpha4'].flatMap((format) => [
    ['TaskRun', { 'artifacts.taskrun.format': format }] as const,
    ['PipelineRun', { 'artifacts.pipelinerun.format': format }] as const,
  ]),
  ['TaskRun', { 'artifacts.taskrun.format': 'slsa/v2alpha4', 'builddefinition.buildtype': `${slsa}-tekton` }],
  ...['in-toto', 'slsa/v2alpha3', 'slsa/v2alpha4'].map(
    (format) =>
      [
        'PipelineRun',
        {
          'artifacts.pipelinerun.format': format,
          'artifacts.pipelinerun.enable-deep-inspection': 'true',
          ...(format === 'in-toto' ? {} : { 'builddefinition.buildtype': `${slsa}-tekton` }),
        },
      ] as const,
  ),
];

async function payloadOf(run: Json, taskRuns: readonly JsonObject[], config: JsonObject): Promise<Json> {
  try {
    const { artifacts } = await explain({ run, taskRuns, config });
    return artifacts[0]?.payload ?? null;
  } catch (error) {
    if (error instanceof ChainsError) return null;
    throw error;
  }
}

/** What may change after a run was signed; the test's own view of it, from the documentation. */
function withoutWhatMayChange(payload: Json): string {
  const text = (key: string, value: unknown) => {
    if (key === 'content' && typeof value === 'string') {
      const json: unknown = JSON.parse(Buffer.from(value, 'base64').toString());
      if (!isJsonObject(json) || !isJsonObject(json['metadata'])) return json;
      const { labels: _, annotations: __, managedFields: ___, ...metadata } = json['metadata'];
      const { kind: ____, apiVersion: _____, ...rest } = json;
      return { ...rest, metadata };
    }
    if (key === 'subject' && Array.isArray(value)) return value.map((one) => JSON.stringify(one)).toSorted();
    if (key === 'environment' && isJsonObject(value) && !('container' in value)) return undefined;
    return key === 'reproducible' || key === 'labels' || key === 'annotations' ? undefined : value;
  };
  return JSON.stringify(payload, text);
}

/** How many of the TaskRuns that a PipelineRun refers to are not there. */
function lostNames(run: Run, taskRuns: readonly JsonObject[]): number {
  const there = taskRuns.map((taskRun) => at(taskRun, 'metadata', 'name'));
  return listAt(run.object, 'status', 'childReferences').filter((one) => !there.includes(member(one, 'name')))
    .length;
}

/** Everything that stands in a payload besides labels and annotations, whose changes are allowed. */
const isLabel = (path: string) => /\.(labels|annotations)\b/.test(path);

for (const [kind, config] of formats) {
  const name = Object.values(config).join(' ');
  test(`${kind} in ${name}: a changed field of the run fails and is named, 200 random ones`, async () => {
    const random = randomNumbers(20261126);
    const pick = <T>(list: readonly T[]): T | undefined => list[Math.floor(random() * list.length)];
    const ofKind = lines.filter((line) => member(member(line, 'run'), 'kind') === kind);
    let seen = 0;
    for (let tries = 0; seen < 200 && tries < 20_000; tries += 1) {
      const line = pick(ofKind);
      const run = member(line, 'run') ?? null;
      const taskRuns = objectsOf(member(line, 'taskRuns'));
      const payload = await payloadOf(run, taskRuns, config);
      if (payload === null) continue;
      const index = Math.floor(random() * (taskRuns.length + 1));
      const target = taskRuns[index] ?? run;
      const [path = '', changed = null] = pick(mutations(target)) ?? [];
      if (isLabel(path)) continue;
      const changedRun = index < taskRuns.length ? run : changed;
      const changedTaskRuns =
        index < taskRuns.length && isJsonObject(changed) ? taskRuns.with(index, changed) : taskRuns;
      const other = await payloadOf(changedRun, changedTaskRuns, config);
      if (other !== null && withoutWhatMayChange(other) === withoutWhatMayChange(payload)) continue;
      let read;
      try {
        read = parseRun(changedRun);
      } catch {
        // No run any more, which verify refuses before it verifies anything.
        continue;
      }
      // A TaskRun that the PipelineRun no longer finds is one that is gone: what it made isn't compared then.
      if (lostNames(read, changedTaskRuns) > lostNames(parseRun(run), taskRuns)) continue;
      seen += 1;
      const verification = await verifiedWith(read, payload, changedTaskRuns);
      assert.equal(verification.verified, false, `${String(member(line, 'id'))} ${path}`);
      assert.match(
        failuresOf(verification).join('\n'),
        /\b(predicate|subject|status)\b|does not name|that of|can be made|unsigned|signed-uid/,
        path,
      );
    }
    assert.ok(seen >= 200, `only ${seen} changes were tried`);
  });
}
