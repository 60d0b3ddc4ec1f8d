import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { parseConfig } from '../../src/config/parse.ts';
import { LivePipeline } from '../../src/controller/live-pipeline.ts';
import { Health } from '../../src/telemetry/health.ts';
import { openLog } from '../../src/telemetry/logs.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';
import { eventually } from '../integration/world.ts';
import { keyPairs, pkcs8, secretsWith } from '../sign/keys.ts';

test('another configuration takes effect at once, however long its KMS takes to answer', async (context) => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  context.after(() => silent.close().closeAllConnections());
  const address = silent.address();
  assert.ok(typeof address === 'object' && address !== null);
  const log = await openLog({ level: 'error', write: () => {} });
  const live = new LivePipeline({
    ...{ kinds: ['taskrun'], access: {}, health: new Health(), metrics: new Metrics(), log },
    changed: () => {},
    listener: () => {},
    ...{ onSigstore: () => {}, notice: () => {} },
  });
  const pair = keyPairs['ECDSA P-256']?.();
  assert.ok(pair !== undefined);
  live.supply(secretsWith({ 'x509.pem': pkcs8(pair.privateKey) }));
  live.configure(parseConfig({}).config);
  await eventually('the first configuration is in force', () => live.current);
  const asked = once(silent, 'request');
  const { config } = parseConfig({
    'artifacts.taskrun.signer': 'kms',
    'signers.kms.kmsref': 'hashivault://chains',
    'signers.kms.auth.address': `http://127.0.0.1:${address.port}`,
    'signers.kms.auth.token': 'x',
  });
  live.configure(config);
  await asked;
  assert.equal(live.current?.config, config);
  silent.closeAllConnections();
  await live.close();
});

test('readiness stays red while the key is damaged, however often it is looked at, and turns green with a good one', async (context) => {
  const health = new Health();
  let checks = 0;
  const log = await openLog({ level: 'error', write: () => (checks += 1) });
  const live = new LivePipeline({
    ...{ kinds: ['taskrun'], access: {}, health, metrics: new Metrics(), log, recheck: 5 },
    changed: () => {},
    listener: () => {},
    ...{ onSigstore: () => {}, notice: () => {} },
  });
  context.after(() => live.close());
  const troubles = () => health.checks.flatMap(({ trouble }) => trouble ?? []);
  const pair = keyPairs['ECDSA P-256']?.();
  assert.ok(pair !== undefined);
  const good = secretsWith({ 'x509.pem': pkcs8(pair.privateKey) });
  live.supply(good);
  live.configure(parseConfig({}).config);
  const kept = await eventually('the first key is in use', () => live.current);
  live.supply(secretsWith({ 'x509.pem': 'damaged' }));
  await eventually('readiness says so', () => (troubles().length > 0 ? true : undefined));
  const before = checks;
  await eventually('it was looked at again', () => {
    assert.match(troubles().join(), /x509\.pem.*the last good key stays in use/);
    return checks >= before + 5 ? true : undefined;
  });
  assert.equal(live.current, kept);
  live.supply(secretsWith({ 'x509.pem': pkcs8(pair.privateKey) }));
  await eventually('readiness is green', () => (troubles().length === 0 ? true : undefined));
  await pause(20);
  assert.deepEqual(troubles(), []);
  assert.notEqual(live.current, kept);
});

test('a key that comes after another was removed takes effect, though a second one is still missing', async (context) => {
  const health = new Health();
  const log = await openLog({ level: 'error', write: () => {} });
  const live = new LivePipeline({
    ...{ kinds: ['taskrun', 'pipelinerun'], access: {}, health, metrics: new Metrics(), log },
    changed: () => {},
    listener: () => {},
    ...{ onSigstore: () => {}, notice: () => {} },
  });
  context.after(() => live.close());
  const pair = keyPairs['ECDSA P-256']?.();
  assert.ok(pair !== undefined);
  const troubles = () => health.checks.flatMap(({ trouble }) => trouble ?? []);
  live.supply(secretsWith({}));
  live.configure(parseConfig({ 'artifacts.pipelinerun.signer': 'pgp' }).config);
  const empty = await eventually('the empty Secret is in force', () =>
    troubles().length > 1 ? live.current : undefined,
  );
  live.supply(secretsWith({ 'x509.pem': pkcs8(pair.privateKey) }));
  await eventually('the new key is in force', () => (live.current === empty ? undefined : true));
  await eventually('only the other one is missing', () => (troubles().length === 1 ? true : undefined));
  assert.match(troubles().join(), /pgp\.private-key/);
  assert.doesNotMatch(troubles().join(), /stays in use/);
});

test('closing closes what is in force and what was before it, and leaves no timer', async (context) => {
  const timers = context.mock.method(globalThis, 'setTimeout');
  const cleared = context.mock.method(globalThis, 'clearTimeout');
  const log = await openLog({ level: 'error', write: () => {} });
  const live = new LivePipeline({
    ...{ kinds: ['taskrun'], access: {}, health: new Health(), metrics: new Metrics(), log },
    changed: () => {},
    listener: () => {},
    ...{ onSigstore: () => {}, notice: () => {} },
  });
  const pair = keyPairs['ECDSA P-256']?.();
  assert.ok(pair !== undefined);
  live.supply(secretsWith({ 'x509.pem': pkcs8(pair.privateKey) }));
  live.configure(parseConfig({}).config);
  const first = await eventually('the first configuration is in force', () => live.current);
  const closed = context.mock.method(first, 'close');
  live.configure(parseConfig({ 'limits.try-timeout': '20m' }).config);
  assert.notEqual(live.current, first);
  const retired = timers.mock.calls.find(({ arguments: [, milliseconds] }) => milliseconds === 120_000);
  assert.ok(retired !== undefined, 'the old one is kept for as long as a try may take');
  await live.close();
  assert.equal(closed.mock.callCount(), 1);
  assert.ok(cleared.mock.calls.some(({ arguments: [timer] }) => timer === retired.result));
});
