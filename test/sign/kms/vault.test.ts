import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { startVault } from '../../doubles/vault.ts';
import { createAuthority } from '../../kubernetes/certificates.ts';
import { folder } from '../../kubernetes/servers.ts';
import { kmsSuite } from './kms.suite.ts';
import { openWith, transitKinds, vaultAsKms, vaultSuite, type VaultUnderTest } from './vault.suite.ts';

const message = Buffer.from('message');

/** The double, with what the suites ask for. */
async function startDouble(): Promise<VaultUnderTest> {
  const vault = await startVault();
  const read = { path: 'transit/keys/*', capabilities: ['read'] };
  vault.policies.set('reader', [read]);
  vault.policies.set('signer', [read, { path: 'transit/sign/*', capabilities: ['update'] }]);
  return {
    address: vault.address,
    service: vault,
    async createKey(name, kind) {
      vault.createKey(name, kind);
    },
    rotate: async (name) => vault.rotate(name),
    createToken: async (policy, ttl = 0, renewable = true) => vault.createToken([policy], { ttl, renewable }),
    revoke: async (token) => vault.revoke(token),
    async trustJwts(publicKey, { ttl, maxTtl }) {
      vault.jwtKeys = [publicKey];
      const role = { audience: 'vault', subject: 'chains', policies: ['signer'], ttl };
      vault.roles.set('chains', { ...role, ...(maxTtl === undefined ? {} : { maxTtl }) });
    },
    async throttle(on) {
      const give = { status: 429, json: { errors: ['request path "transit/": rate limit quota exceeded'] } };
      vault.trouble.answer = on ? { give, times: Number.POSITIVE_INFINITY } : undefined;
    },
    async seal() {
      vault.sealed = true;
    },
    async unseal() {
      vault.sealed = false;
    },
    stop: () => vault.close(),
    restart: () => vault.reopen(),
    close: () => vault.close(),
  };
}

for (const scheme of ['hashivault', 'openbao'] as const) {
  kmsSuite({
    name: scheme,
    kinds: transitKinds,
    refused: ['RSA 1024'],
    throttled: { status: 429, json: { errors: ['request path "transit/sign" rate limit quota exceeded'] } },
    start: async () => vaultAsKms(scheme, await startDouble()),
  });
}

vaultSuite('Vault', startDouble);

test('the namespace is sent, and the transit engine may be mounted elsewhere', async (context) => {
  const vault = await startVault({ engine: 'team/keys' });
  context.after(() => vault.close());
  vault.createKey('chains', 'P-256');
  vault.namespace = 'team-a';
  const environment = { TRANSIT_SECRET_ENGINE_PATH: '/team/keys/', VAULT_NAMESPACE: 'team-a' };
  const settings = { address: vault.address, token: vault.rootToken };
  const signer = await openWith('hashivault://chains', settings, { environment });
  await signer.sign(message);
  await signer.close?.();
  await assert.rejects(openWith('hashivault://chains', settings, { environment: {} }), {
    code: 'KMS_REFUSED',
  });
});

test('a certificate is checked against VAULT_CACERT, VAULT_CAPATH or nothing, as the environment says', async (context) => {
  const authority = createAuthority("Vault's own");
  const vault = await startVault({ tls: authority.issue('vault') });
  context.after(() => vault.close());
  vault.createKey('chains', 'P-256');
  const path = await folder(context);
  const file = join(path, 'ca.pem');
  await writeFile(file, authority.cert);
  const settings = { address: vault.address, token: vault.rootToken };
  for (const environment of [
    { VAULT_CACERT: file },
    { VAULT_CAPATH: path },
    { BAO_CACERT: file },
    { VAULT_SKIP_VERIFY: 'true' },
  ]) {
    const signer = await openWith('hashivault://chains', settings, { environment });
    await signer.sign(message);
    await signer.close?.();
  }
  await assert.rejects(openWith('hashivault://chains', settings, { environment: {} }), {
    code: 'KMS_UNAVAILABLE',
    message: /certificate/,
  });
  await assert.rejects(
    openWith('hashivault://chains', settings, { environment: { VAULT_CACERT: '/none' } }),
    {
      code: 'KMS_REFUSED',
      message: /\/none/,
    },
  );
});

test('a standby node that names the active one is followed, but never from https to http', async (context) => {
  const authority = createAuthority("Vault's own");
  const tls = authority.issue('vault');
  const [active, standby, secure] = [await startVault(), await startVault(), await startVault({ tls })];
  context.after(() => Promise.all([active, standby, secure].map((vault) => vault.close())));
  active.createKey('chains', 'P-256');
  for (const node of [standby, secure]) {
    const give = { status: 307, headers: { location: `${active.address}/v1/transit/keys/chains` }, json: {} };
    node.trouble.answer = { give, times: Number.POSITIVE_INFINITY };
  }
  const open = (address: string) =>
    openWith(
      'hashivault://chains',
      { address, token: active.rootToken },
      { environment: { VAULT_SKIP_VERIFY: '1' } },
    );
  const signer = await open(standby.address);
  await signer.close?.();
  await assert.rejects(open(secure.address), { status: 307 });
  assert.ok(active.requests.every(({ headers }) => headers.host === new URL(active.address).host));
});
