import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { portOf } from '../../../sandbox/port.ts';
import { type SandboxRegistry, startRegistry } from '../../../sandbox/registry/index.ts';
import { createAuthority } from '../../kubernetes/certificates.ts';
import { assertSigned, errorsOf, newKey, openSigning, signRunOf } from './world.ts';

const signer = fileURLToPath(new URL('sign-one.ts', import.meta.url));

suite('registries with certificates', () => {
  const authority = createAuthority('a CA of our own');
  const key = newKey();
  let folder: string;
  let registry: SandboxRegistry;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'registry-tls-'));
    await writeFile(join(folder, 'ca.pem'), authority.cert);
    registry = await startRegistry({ tls: authority.issue('localhost') });
  });
  after(async () => {
    await registry.close();
    await rm(folder, { recursive: true });
  });
  const image = (digit: string) => `${registry.host}/acme/app@sha256:${digit.repeat(64)}`;
  const sign = async (name: string, data = {}) => {
    const pipeline = openSigning(key.privateKey, data);
    const outcome = await signRunOf(pipeline, name);
    await pipeline.close();
    return outcome;
  };

  test('a CA that nobody knows is refused, even on this machine, and plain HTTP is not tried', async () => {
    const [error = ''] = errorsOf(await sign(image('1')));
    assert.match(
      error,
      /^STORE_UNAVAILABLE: GET https:\/\/localhost:\d+\/v2\/: no whole answer: .*certificate/,
    );
    assert.equal(registry.requests.length, 0);
  });

  test('storage.oci.repository.insecure takes any certificate', async () => {
    assertSigned(await sign(image('2'), { 'storage.oci.repository.insecure': 'true' }));
  });

  test('NODE_EXTRA_CA_CERTS adds a CA', async () => {
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem') };
    const { stdout } = await promisify(execFile)(process.execPath, [signer, image('3')], { env });
    assert.equal(stdout, '[]\n');
  });

  test('a registry elsewhere is never spoken to over plain HTTP unless that is configured', async () => {
    const plain = await startRegistry();
    // Another name of this machine that doesn't look like it.
    const name = image('4').replace(registry.host, plain.host.replace('localhost', '0x7f.1'));
    assert.match(errorsOf(await sign(name))[0] ?? '', /^STORE_UNAVAILABLE: .*https:/);
    assert.equal(plain.requests.length, 0);
    assertSigned(await sign(name, { 'storage.oci.repository.insecure': 'true' }));
    await plain.close();
  });

  test("a registry with HTTPS can't make us send a credential over plain HTTP", async () => {
    const users = [{ name: 'robot', password: 'word' }];
    const guard = { scheme: 'token', users, realm: 'http://localhost:1/token' } as const;
    const guarded = await startRegistry({ tls: authority.issue('localhost'), guard });
    const name = image('5').replace(registry.host, guarded.host);
    const [error = ''] = errorsOf(await sign(name, { 'storage.oci.repository.insecure': 'true' }));
    assert.match(
      error,
      /names http:\/\/localhost:1 as the place for tokens, which leads from HTTPS to plain HTTP/,
    );
    await guarded.close();
  });

  test('registries on this machine are never asked by way of a proxy', async () => {
    const plain = await startRegistry();
    const env = { ...process.env, HTTP_PROXY: 'http://127.0.0.1:1', HTTPS_PROXY: 'http://127.0.0.1:1' };
    const name = image('6').replace(registry.host, plain.host);
    const { stdout } = await promisify(execFile)(process.execPath, [signer, name], { env });
    assert.equal(stdout, '[]\n');
    await plain.close();
  });

  test('other registries are asked by way of HTTPS_PROXY, but for those in NO_PROXY', async () => {
    const asked: (string | undefined)[] = [];
    const proxy = createServer().on('connect', ({ url }, socket) => {
      asked.push(url);
      socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
    });
    await new Promise<void>((resolve) => {
      proxy.listen(0, '127.0.0.1', resolve);
    });
    const env = {
      ...process.env,
      HTTPS_PROXY: `http://127.0.0.1:${portOf(proxy.address())}`,
      NO_PROXY: 'straight.invalid',
    };
    const run = async (host: string) => {
      const name = image('7').replace(registry.host, host);
      const { stdout } = await promisify(execFile)(process.execPath, [signer, name], { env });
      return stdout;
    };
    assert.match(await run('registry.invalid'), /STORE_UNAVAILABLE: .*registry\.invalid/);
    assert.equal(new Set(asked).size, 1);
    assert.equal(asked[0], 'registry.invalid:443');
    assert.match(await run('straight.invalid'), /STORE_UNAVAILABLE: .*straight\.invalid/);
    assert.equal(new Set(asked).size, 1);
    proxy.close();
    proxy.closeAllConnections();
  });
});
