import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closest, editDistance } from '../../src/config/closest.ts';

test('the distance counts insertions, deletions, substitutions and swaps', () => {
  assert.equal(editDistance('kafka', 'kafka'), 0);
  assert.equal(editDistance('gsc', 'gcs'), 1);
  assert.equal(editDistance('store', 'storage'), 2);
  assert.equal(editDistance('', 'oci'), 3);
});

test('the nearest candidate is meant, and none when all are far', () => {
  assert.equal(closest('intoto', ['tekton', 'in-toto', 'slsa/v1']), 'in-toto');
  assert.equal(closest('quux', ['tekton', 'in-toto', 'slsa/v1']), undefined);
  assert.equal(closest('', ['t']), undefined);
});
