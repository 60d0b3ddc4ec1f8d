import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { parseConfig } from '../../src/config/parse.ts';
import { LivePipeline } from '../../src/controller/live-pipeline.ts';
import { Health } from '../../src/telemetry/health.ts';
import { openLog } from '../../src/telemetry/logs.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';
import { eventually } from '../integration/world.ts';
import { keyPairs, pkcs8, secretsWith } from '../sign/keys.ts';

test('another configuration counts at once, however long its KMS takes to answer', async (context) => {
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
