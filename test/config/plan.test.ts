import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../src/config/parse.ts';
import { planFor } from '../../src/config/plan.ts';

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
