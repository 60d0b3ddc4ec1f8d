import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askHelper } from '../../src/registry/credential-helper.ts';
import { parseDockerConfig } from '../../src/registry/docker-config.ts';

const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;

test('a helper that is not installed is reported, and keeps no timer that delays the exit of the process', async () => {
  const before = timers();
  const config = parseDockerConfig(JSON.stringify({ credsStore: 'not-installed' }), 'config.json');
  const answer = await askHelper(config, { host: 'ghcr.io', path: 'acme/app' });
  assert.match(String(answer), /^docker-credential-not-installed failed: spawn .* ENOENT$/);
  assert.equal(timers(), before);
});
