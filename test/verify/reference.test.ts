import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, member } from '../../src/json.ts';
import { parseRun } from '../../src/model/run.ts';
import { linesOf, objectsOf, textOf } from '../conformance/cases.ts';
import { failuresOf, verifiedWith } from './remade.ts';

for (const file of ['visible.jsonl', 'legacy-tekton.jsonl']) {
  for (const line of linesOf(file)) {
    const own = objectsOf(at(line, 'expected', 'artifacts')).find((one) => member(one, 'kind') !== 'oci');
    const payload = member(own, 'payload') ?? null;
    if (payload === null) continue;
    test(`${textOf(line, 'id')}: what the reference implementation signed verifies`, async () => {
      const run = parseRun(member(line, 'run'));
      const verification = await verifiedWith(run, payload, objectsOf(member(line, 'taskRuns')));
      assert.deepEqual(failuresOf(verification), []);
      assert.ok(verification.verified);
    });
  }
}
