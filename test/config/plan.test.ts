import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../src/config/parse.ts';
import { planFor, plansFor } from '../../src/config/plan.ts';

test('a plan holds what the keys of its kind of artifact say', () => {
  const { config } = parseConfig({ 'artifacts.oci.format': 'tekton', 'artifacts.oci.storage': 'oci,tekton' });
  assert.deepEqual(planFor(config, 'oci'), {
    format: 'tekton',
    signer: 'x509',
    stores: ['oci', 'tekton'],
    off: undefined,
  });
});

test('the signer none and an empty storage turn a kind of artifact off, and the plan says which key did', () => {
  const { config } = parseConfig({ 'artifacts.oci.signer': 'none', 'artifacts.taskrun.storage': '' });
  assert.equal(planFor(config, 'oci').off, 'artifacts.oci.signer is none');
  assert.equal(planFor(config, 'taskrun').off, 'artifacts.taskrun.storage is empty');
  assert.equal(planFor(config, 'pipelinerun').off, undefined);
});

test('what goes into a Sigstore bundle has a plan of its own; otherwise there is one plan', () => {
  const bundles = { 'storage.oci.encoding-format': 'sigstore-bundle' };
  const stores = (data: Readonly<Record<string, string>>) =>
    plansFor(parseConfig(data).config, 'oci').map((plan) => [plan.stores, plan.bundled ?? false]);
  assert.deepEqual(stores({}), [[['oci'], false]]);
  assert.deepEqual(stores(bundles), [[['oci'], true]]);
  assert.deepEqual(stores({ ...bundles, 'artifacts.oci.storage': 'tekton,oci,gcs' }), [
    [['tekton', 'gcs'], false],
    [['oci'], true],
  ]);
  assert.deepEqual(stores({ ...bundles, 'artifacts.oci.storage': 'tekton' }), [[['tekton'], false]]);
  assert.deepEqual(stores({ ...bundles, 'artifacts.oci.format': 'tekton' }), [[['oci'], false]]);
  assert.equal(plansFor(parseConfig(bundles).config, 'taskrun').length, 1);
});
