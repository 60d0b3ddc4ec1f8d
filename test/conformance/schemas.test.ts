import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { explain } from '../../src/index.ts';
import { at, type Json, member } from '../../src/json.ts';
import { configOf, linesOf, objectsOf, textOf } from './cases.ts';

const folder = new URL('schemas/', import.meta.url);
const ajv = new Ajv2020({
  allErrors: true,
  strict: true,
  allowUnionTypes: true,
  strictTypes: false,
  strictRequired: false,
});
for (const name of readdirSync(folder))
  ajv.addSchema(JSON.parse(readFileSync(new URL(name, folder), 'utf8')));
const check = ajv.getSchema('statement');

function problemsOf(statement: Json | undefined): string {
  assert.ok(check !== undefined, 'there is no schema');
  return check(statement) === true ? '' : ajv.errorsText(check.errors);
}

const statements = (artifacts: Json | undefined) =>
  objectsOf(artifacts)
    .map((artifact) => member(artifact, 'payload'))
    .filter((payload) => member(payload, '_type') !== undefined);

test('every statement, expected and produced, has the fields and types of the specifications', async () => {
  let count = 0;
  for (const line of linesOf('visible.jsonl')) {
    const input = {
      run: member(line, 'run'),
      taskRuns: objectsOf(member(line, 'taskRuns')),
      config: configOf(line),
    };
    const produced = await explain(input).then(
      ({ artifacts }): Json => JSON.parse(JSON.stringify(artifacts)),
      () => [],
    );
    for (const statement of [...statements(at(line, 'expected', 'artifacts')), ...statements(produced)]) {
      assert.equal(problemsOf(statement), '', textOf(line, 'id'));
      count++;
    }
  }
  assert.ok(count > 250, `${count} statements`);
});

test('a statement with a field of another type, or one that no specification knows, is found', async () => {
  const [line = {}] = linesOf('visible.jsonl');
  const { artifacts } = await explain({ run: member(line, 'run'), config: configOf(line) });
  const good: Json = JSON.parse(JSON.stringify(artifacts[0]?.payload));
  assert.equal(problemsOf(good), '');
  assert.notEqual(problemsOf({ ...Object(good), subject: [{ name: 'a', digest: { sha256: 5 } }] }), '');
  assert.notEqual(problemsOf({ ...Object(good), extra: true }), '');
  const predicate = { ...Object(member(good, 'predicate')), materials: [{ uri: 7 }] };
  assert.notEqual(problemsOf({ ...Object(good), predicate }), '');
});
