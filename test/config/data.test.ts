import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configData } from '../../src/config/parse.ts';

test('a ConfigMap and its bare data are the same', () => {
  const data = { 'builder.id': 'x' };
  assert.deepEqual(configData(data), data);
  assert.deepEqual(configData({ apiVersion: 'v1', kind: 'ConfigMap', data }), data);
});

test('an empty document and a ConfigMap without data have no keys', () => {
  for (const document of [undefined, null, {}, { kind: 'ConfigMap' }, { kind: 'ConfigMap', data: null }]) {
    assert.deepEqual(configData(document), {});
  }
});

test('anything else is an error that says what it is', () => {
  assert.throws(() => configData({ kind: 'Secret' }), { code: 'CONFIG_INVALID', message: /is a Secret/ });
  assert.throws(() => configData(['x']), { code: 'CONFIG_INVALID' });
  assert.throws(() => configData({ kind: 'ConfigMap', data: 'x' }), {
    code: 'CONFIG_INVALID',
    message: /data/,
  });
});
