import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ownKeyOf } from '../../src/model/artifact.ts';
import { readKeys } from '../../src/verify/public-key.ts';
import { verifyRun } from '../../src/verify/run.ts';
import { taskRun } from '../runs.ts';
import { newKey } from '../store/oci/world.ts';
import { failuresOf, marked } from './remade.ts';

const run = taskRun({ conditions: [{ type: 'Succeeded', status: 'True' }] });
const keys = await readKeys([newKey().publicKey]);

/** The reasons for which an unsigned payload in the annotations fails. */
async function failures(payload: string): Promise<string> {
  const key = ownKeyOf(run);
  const annotations = {
    [`chains.tekton.dev/payload-${key}`]: Buffer.from(payload).toString('base64'),
    [`chains.tekton.dev/signature-${key}`]: 'AAAA',
  };
  return failuresOf(await verifyRun(marked(run, annotations), { keys, expected: {} })).join('\n');
}

const deep = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);

test('a payload that has an object with a toString of its own in place of a text fails, and nothing else', async () => {
  const type = 'https://in-toto.io/Statement/v1';
  const [v02, v1] = ['https://slsa.dev/provenance/v0.2', 'https://slsa.dev/provenance/v1'];
  const object = { toString: 0, valueOf: 0 };
  const payloads = [
    { _type: object },
    { _type: type, predicateType: object },
    { _type: type, predicateType: v1, predicate: { runDetails: { metadata: { invocationId: object } } } },
    {
      _type: type,
      predicateType: v02,
      predicate: { buildType: 'tekton.dev/v1/TaskRun' },
      subject: [{ name: object, digest: { sha256: object } }],
    },
    {
      _type: type,
      predicateType: v1,
      predicate: {
        buildDefinition: { buildType: object },
        runDetails: { metadata: { invocationId: run.uid } },
      },
    },
  ];
  for (const payload of payloads) assert.match(await failures(JSON.stringify(payload)), /signature/);
});

test('a payload that nests too deeply to be compared fails, and nothing else', async () => {
  for (const payload of [deep(40_000), `{"conditions":${deep(40_000)}}`])
    assert.match(await failures(payload), /content: the payload nests too deeply to be compared/);
});
