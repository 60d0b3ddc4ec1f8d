import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigState } from '../../src/controller/config-state.ts';
import { ChainsError } from '../../src/errors.ts';

function follow() {
  const told: string[] = [];
  const state = new ConfigState(
    {
      config: (config) => told.push(`config ${config['artifacts.taskrun.format']}`),
      trouble: (error) => told.push(`trouble ${error?.code}`),
      warning: () => told.push('warning'),
    },
    (reason) => told.push(`event ${reason}`),
  );
  return { state, told };
}

const format = (text: string, more: Record<string, string> = {}) => ({
  metadata: { name: 'chains-config' },
  data: { 'artifacts.taskrun.format': text, ...more },
});

test('without a ConfigMap the defaults are in force, once it is known that there is none', () => {
  const { state, told } = follow();
  assert.deepEqual(told, []);
  state.synced();
  assert.deepEqual(told, ['config tekton', 'trouble undefined']);
});

test('a change is reported once, and a ConfigMap that is deleted leaves the defaults', () => {
  const { state, told } = follow();
  state.seen(format('slsa/v1'));
  state.synced();
  state.seen(format('slsa/v1'));
  state.gone();
  assert.deepEqual(told, ['config slsa/v1', 'trouble undefined', 'config tekton']);
});

test('a ConfigMap of another name is not looked at', () => {
  const { state, told } = follow();
  state.seen({ ...format('slsa/v1'), metadata: { name: 'other' } });
  assert.deepEqual(told, []);
});

test('a bad change leaves the last good configuration in force until it is fixed', () => {
  const { state, told } = follow();
  state.seen(format('slsa/v1'));
  state.seen(format('slsa/v9'));
  state.seen(format('slsa/v9'));
  state.seen(format('slsa/v1'));
  assert.deepEqual(told, [
    'config slsa/v1',
    'trouble undefined',
    'event InvalidConfiguration',
    'trouble CONFIG_INVALID',
    'trouble undefined',
  ]);
});

test('with a bad ConfigMap at start there is no configuration', () => {
  const { state, told } = follow();
  state.seen(format('slsa/v9'));
  state.synced();
  assert.deepEqual(told, ['event InvalidConfiguration', 'trouble CONFIG_INVALID']);
  state.seen(format('slsa/v2alpha4'));
  assert.deepEqual(told.slice(2), ['config slsa/v2alpha4', 'trouble undefined']);
});

test('a key that is not known is a warning and an Event, and the rest counts', () => {
  const { state, told } = follow();
  state.seen(format('slsa/v1', { 'artifacts.taskrun.formt': 'x' }));
  assert.deepEqual(told, ['config slsa/v1', 'warning', 'event UnknownKey', 'trouble undefined']);
});

test('an API server that can not be asked is trouble until a configuration is known', () => {
  const { state, told } = follow();
  state.unreachable(new ChainsError('CLUSTER_UNAVAILABLE', 'no answer'));
  state.unreachable(undefined);
  assert.deepEqual(told, ['trouble CLUSTER_UNAVAILABLE']);
  state.synced();
  assert.deepEqual(told.slice(1), ['config tekton', 'trouble undefined']);
});

test('an API server that can not be asked does not hide a bad ConfigMap', () => {
  const { state, told } = follow();
  state.seen(format('slsa/v9'));
  state.unreachable(new ChainsError('CLUSTER_UNAVAILABLE', 'no answer'));
  state.unreachable(undefined);
  assert.deepEqual(told, ['event InvalidConfiguration', 'trouble CONFIG_INVALID']);
});
