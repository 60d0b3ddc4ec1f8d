import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goJson } from '../../src/tekton/go-json.ts';
import { quantity } from '../../src/tekton/quantity.ts';
import {
  always,
  flag,
  int32,
  list,
  map,
  pointer,
  read,
  struct,
  text,
  written,
} from '../../src/tekton/shape.ts';
import { taskRun } from '../../src/tekton/task-run.ts';
import { value } from '../../src/tekton/value.ts';

const inner = struct({ name: always(text), optional: text });
const outer = struct({
  always: always(text),
  list: list(inner),
  alwaysList: always(list(text)),
  map: map(quantity),
  pointer: pointer(text),
  struct: inner,
  flag,
  number: int32,
});

const rewritten = (object: Parameters<typeof read>[1]) => goJson(written(outer, read(outer, object)));

test('a structure is written in its own order, without unknown and empty members, structures included', () => {
  assert.equal(rewritten({}), '{"always":"","alwaysList":null,"struct":{"name":""}}');
  assert.equal(
    rewritten({
      number: 1,
      unknown: 2,
      flag: true,
      pointer: '',
      list: [{ optional: 'x' }, null],
      always: 'a',
    }),
    '{"always":"a","list":[{"name":"","optional":"x"},{"name":""}],"alwaysList":null,"pointer":"","struct":{"name":""},"flag":true,"number":1}',
  );
  assert.equal(
    rewritten({ list: [], map: {}, flag: false, number: 0, alwaysList: [] }),
    '{"always":"","alwaysList":[],"struct":{"name":""}}',
  );
});

test('the keys of a map are written in the order of their UTF-8 bytes, numbers too', () => {
  const given = { map: { '\u{1f600}': '1', '\uff5e': '1', '9': '1', '10': '1', b: '1000m' } };
  assert.match(rewritten(given), /"map":\{"10":"1","9":"1","b":"1","\uff5e":"1","\u{1f600}":"1"\}/u);
});

test('members that every object inherits are not members', () => {
  const given = JSON.parse('{"__proto__":{"always":"x"},"map":{"__proto__":"1","constructor":"2"}}');
  assert.equal(
    rewritten(given),
    '{"always":"","alwaysList":null,"map":{"__proto__":"1","constructor":"2"},"struct":{"name":""}}',
  );
});

test('a value of the wrong type is an error that names the field', () => {
  const wrong = [
    [{ always: 5 }, /^always is not a string$/],
    [{ list: [{}, { name: [] }] }, /^list\[1\]\.name is not a string$/],
    [{ map: { a: 'many' } }, /^map\.a is not a quantity/],
    [{ number: 1.5 }, /^number is not a whole number/],
    [{ flag: 'true' }, /^flag is not a boolean$/],
    [{ struct: [] }, /^struct is not an object$/],
  ] as const;
  for (const [object, message] of wrong) {
    assert.throws(() => read(outer, object), { code: 'RUN_UNREADABLE', message });
  }
  assert.throws(
    () =>
      read(
        taskRun,
        { spec: { podTemplate: { volumes: [{ emptyDir: { sizeLimit: 'x' } }] } } },
        'taskRuns[0].',
      ),
    {
      message: /^taskRuns\[0\]\.spec\.podTemplate\.volumes\[0\]\.emptyDir\.sizeLimit is not a quantity/,
    },
  );
});

test('a missing value can be read but not written; null is the empty text', () => {
  const param = struct({ value: always(value) });
  assert.deepEqual(read(param, {}), {});
  assert.throws(() => written(param, {}, 'params[0]'), {
    code: 'RUN_UNREADABLE',
    message: /^params\[0\]\.value has no value/,
  });
  assert.equal(goJson(written(param, read(param, { value: null }))), '{"value":""}');
});
