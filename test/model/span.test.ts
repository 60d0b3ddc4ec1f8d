import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChainsError } from '../../src/errors.ts';
import { inSpan } from '../../src/model/span.ts';
import { recordTraces } from '../telemetry/recorded-spans.ts';

const away = new ChainsError('STORE_UNAVAILABLE', 'it is away, and so is secret-host');

test('work in a span gives its result, and the span ends with it', async () => {
  const { root, ended } = recordTraces();
  assert.equal(await inSpan(root, 'store', { backend: 'store oci' }, async () => 7), 7);
  assert.deepEqual(ended, [{ path: 'run/store', backend: 'store oci' }]);
});

test('an error that is returned, thrown or found in the result gives its code, and no message', async () => {
  const { root, ended } = recordTraces();
  assert.equal(await inSpan(root, 'returned', {}, async () => away), away);
  await assert.rejects(
    inSpan(root, 'thrown', {}, () => Promise.reject(away)),
    away,
  );
  await inSpan(
    root,
    'found',
    {},
    async () => ({ inside: away }),
    ({ inside }) => inside,
  );
  await assert.rejects(inSpan(root, 'unknown', {}, () => Promise.reject(new Error('secret'))));
  assert.deepEqual(ended, [
    { path: 'run/returned', error: 'STORE_UNAVAILABLE' },
    { path: 'run/thrown', error: 'STORE_UNAVAILABLE' },
    { path: 'run/found', error: 'STORE_UNAVAILABLE' },
    { path: 'run/unknown', error: 'UNEXPECTED' },
  ]);
});

test('without a span around it, work is only done', async () => {
  assert.equal(await inSpan(undefined, 'store', {}, async () => 7), 7);
  await assert.rejects(
    inSpan(undefined, 'store', {}, () => Promise.reject(away)),
    away,
  );
});
