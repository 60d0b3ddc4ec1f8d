import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { openConnection } from '../../src/kubernetes/connection.ts';
import { Rest } from '../../src/kubernetes/rest.ts';
import { startSandbox } from '../../sandbox/index.ts';
import { mountSecret } from '../../sandbox/mount.ts';

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 20_000; !(await holds()); await pause(10)) {
    assert.ok(performance.now() < end, 'it did not come about in 20 seconds');
  }
}

async function open(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'mount-test-'));
  const sandbox = await startSandbox({ life: false });
  const kubeconfig = join(folder, 'kubeconfig');
  await writeFile(kubeconfig, sandbox.kubeconfig);
  const rest = new Rest(await openConnection({ kubeconfig }));
  const stop = new AbortController();
  const secrets = join(folder, 'secrets');
  const mounted = mountSecret(rest, { namespace: 'tekton-chains', name: 'keys' }, secrets, stop.signal);
  t.after(async () => {
    stop.abort();
    await mounted;
    await rest.close();
    await sandbox.close();
    await rm(folder, { recursive: true });
  });
  const put = (data: Readonly<Record<string, string>>) => {
    const encoded = Object.entries(data).map(
      ([key, value]) => [key, Buffer.from(value).toString('base64')] as const,
    );
    const metadata = { name: 'keys', namespace: 'tekton-chains' };
    sandbox.objects.put({ apiVersion: 'v1', kind: 'Secret', metadata, data: Object.fromEntries(encoded) });
  };
  const files = async () => {
    // A name with two dots in front is a file that is being written, and none of the Secret's.
    const names = (await readdir(secrets)).filter((name) => !name.startsWith('..')).toSorted();
    return Promise.all(names.map(async (name) => `${name}=${await readFile(join(secrets, name), 'utf8')}`));
  };
  return { sandbox, put, files, secrets };
}

test('a Secret shows up as files, readable by their owner only, and changes with it', async (t) => {
  const { sandbox, put, files, secrets } = await open(t);
  await until(async () => (await files().catch(() => ['not there'])).length === 0);
  put({ 'x509.pem': 'one', other: '' });
  await until(async () => (await files()).join() === 'other=,x509.pem=one');
  assert.equal((await stat(join(secrets, 'x509.pem'))).mode & 0o777, 0o600);
  put({ 'x509.pem': 'two' });
  await until(async () => (await files()).join() === 'x509.pem=two');
  sandbox.objects.delete('Secret', 'tekton-chains', 'keys');
  await until(async () => (await files()).length === 0);
});

test('a file that did not change is not written again', async (t) => {
  const { put, files, secrets } = await open(t);
  put({ a: 'same', b: 'one' });
  await until(async () => (await files().catch(() => [])).join() === 'a=same,b=one');
  const before = await stat(join(secrets, 'a'));
  put({ a: 'same', b: 'two' });
  await until(async () => (await files()).join() === 'a=same,b=two');
  assert.equal((await stat(join(secrets, 'a'))).ino, before.ino);
});
