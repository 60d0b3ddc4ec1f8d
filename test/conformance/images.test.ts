import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../src/config/parse.ts';
import { extract } from '../../src/extract/index.ts';
import { type Format, formats } from '../../src/format/index.ts';
import type { Artifact } from '../../src/model/artifact.ts';
import { at, type JsonObject, member } from '../../src/model/json.ts';
import { parseRun } from '../../src/model/run.ts';
import { linesOf, objectsOf, textOf } from './cases.ts';

const { config } = parseConfig({});
const tekton = await formats.tekton();
const simplesigning = await formats.simplesigning();

const payloadOf = (format: Format, artifact: Artifact) =>
  JSON.parse(Buffer.from(format(artifact, config).bytes).toString('utf8'));

/** Cases whose configuration the reference refuses hold no artifacts to compare. */
const withArtifacts = (line: JsonObject) => at(line, 'expected', 'configError') === undefined;

const byFullKey = (a: { fullKey: string }, b: { fullKey: string }) => (a.fullKey < b.fullKey ? -1 : 1);

function expectedArtifacts(line: JsonObject, kinds: readonly string[]) {
  return objectsOf(at(line, 'expected', 'artifacts'))
    .map((one) => ({
      kind: textOf(one, 'kind'),
      key: textOf(one, 'key'),
      fullKey: textOf(one, 'fullKey'),
      payload: member(one, 'payload'),
    }))
    .filter(({ kind }) => kinds.includes(kind))
    .toSorted(byFullKey);
}

function actualArtifacts(line: JsonObject, kinds: readonly string[]) {
  const { artifacts, unreadable } = extract(parseRun(member(line, 'run')));
  assert.equal(unreadable, undefined);
  return artifacts
    .filter(({ kind }) => kinds.includes(kind))
    .map((one) => ({
      kind: one.kind,
      key: one.key,
      fullKey: one.fullKey,
      payload: payloadOf(one.kind === 'oci' ? simplesigning : tekton, one),
    }))
    .toSorted(byFullKey);
}

for (const line of linesOf('legacy-tekton.jsonl')) {
  test(`${textOf(line, 'id')}: every artifact, in the formats tekton and simplesigning`, () => {
    const kinds = ['taskrun', 'pipelinerun', 'oci'];
    assert.deepEqual(actualArtifacts(line, kinds), expectedArtifacts(line, kinds));
  });
}

test('visible.jsonl: the same images, keys and simplesigning payloads in every case', () => {
  const lines = linesOf('visible.jsonl').filter(withArtifacts);
  assert.equal(lines.length, 160);
  for (const line of lines) {
    assert.deepEqual(actualArtifacts(line, ['oci']), expectedArtifacts(line, ['oci']), textOf(line, 'id'));
  }
});

test('visible.jsonl: the same key and full key of every run', () => {
  for (const line of linesOf('visible.jsonl').filter(withArtifacts)) {
    const [own] = extract(parseRun(member(line, 'run'))).artifacts;
    const [expected] = expectedArtifacts(line, ['taskrun', 'pipelinerun']);
    assert.deepEqual([own?.kind, own?.key, own?.fullKey], [expected?.kind, expected?.key, expected?.fullKey]);
  }
});
