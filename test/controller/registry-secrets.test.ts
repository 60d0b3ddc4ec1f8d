import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readRegistrySecrets } from '../../src/controller/registry-secrets.ts';
import type { Log } from '../../src/telemetry/logs.ts';
import { answer, refuse, restOf, serve } from '../kubernetes/servers.ts';
import { taskRun } from '../runs.ts';

test('Secrets that may not be read are named with the right that is missing, and the log says so once', async (context) => {
  const account = { secrets: [{ name: 'one' }], imagePullSecrets: [{ name: 'two' }] };
  const server = await serve(context, ({ url = '' }, response) =>
    url.includes('/serviceaccounts/')
      ? answer(response, account)
      : refuse(response, 403, 'secrets is forbidden'),
  );
  const warnings: string[] = [];
  const ignore = (): void => {};
  const log: Log = {
    ...{ debug: ignore, info: ignore, error: ignore, with: () => log },
    warn: (message) => void warnings.push(message),
  };
  const read = readRegistrySecrets(await restOf(context, server), log);
  const problem = (name: string) => ({
    problem: `the Secret ci/${name} may not be read: let the controller's account get secrets in ci, as deploy/registry-credentials.yaml does`,
    isForbidden: true,
  });
  assert.deepEqual(await read(taskRun({})), [problem('one'), problem('two')]);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? '', /^secrets in ci may not be read.*403 secrets is forbidden/);
});
