import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { request } from 'undici';
import { at, type Json, parseJson } from '../../src/json.ts';
import { transitTypes } from '../doubles/vault.ts';
import type { VaultUnderTest } from '../sign/kms/vault.suite.ts';
import { freePorts, type Running, start, temporaryFolder } from './process.ts';
import { tool } from './tools.ts';

/** The policies that the suite asks for. */
const policies = {
  reader: 'path "transit/keys/*" { capabilities = ["read"] }',
  signer:
    'path "transit/keys/*" { capabilities = ["read"] } path "transit/sign/*" { capabilities = ["update"] }',
} as const;

/** Starts a real Vault that keeps its data in a folder, so that it can be sealed and unsealed. */
export async function startRealVault(): Promise<VaultUnderTest> {
  const [[port = 0], folder] = await Promise.all([freePorts(1), temporaryFolder('chains-vault')]);
  const address = `http://127.0.0.1:${port}`;
  const file = join(folder.path, 'vault.hcl');
  await writeFile(
    file,
    `disable_mlock = true
     storage "file" { path = "${join(folder.path, 'data')}" }
     listener "tcp" { address = "127.0.0.1:${port}" tls_disable = true }`,
  );
  // A certificate inside one of its plugins has a negative serial number, which newer versions of Go refuse.
  const environment = { ...process.env, GODEBUG: 'x509negativeserial=1' };
  const startProgram = async (): Promise<Running> => {
    const started = start(tool('vault'), ['server', '-config', file], { environment });
    await started.printed(/Vault server started/);
    return started;
  };
  let program = await startProgram();

  let root = '';
  async function ask(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<Json> {
    const answer = await request(`${address}/v1/${path}`, {
      method,
      headers: root === '' ? {} : { 'x-vault-token': root },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await answer.body.text();
    if (answer.statusCode >= 300) throw new Error(`${method} ${path}: ${answer.statusCode} ${text}`);
    return text === '' ? null : parseJson(text);
  }

  const keys = await ask('PUT', 'sys/init', { secret_shares: 1, secret_threshold: 1 });
  const [unsealKey] = [at(keys, 'keys')].flat();
  const unseal = async (): Promise<void> => {
    await ask('PUT', 'sys/unseal', { key: unsealKey });
    while (at(await ask('GET', 'sys/health?standbyok=true&sealedcode=200'), 'sealed') !== false)
      await pause(20);
  };
  await unseal();
  root = String(at(keys, 'root_token'));
  await ask('POST', 'sys/mounts/transit', { type: 'transit' });
  await ask('POST', 'sys/auth/jwt', { type: 'jwt' });
  for (const [name, policy] of Object.entries(policies))
    await ask('PUT', `sys/policies/acl/${name}`, { policy });

  return {
    address,
    async createKey(name, kind) {
      await ask('POST', `transit/keys/${name}`, { type: transitTypes[kind] });
    },
    async rotate(name) {
      await ask('POST', `transit/keys/${name}/rotate`, {});
    },
    async createToken(policy, ttl = 0, renewable = true) {
      const limits = ttl === 0 ? {} : { ttl: `${ttl}s`, renewable };
      const created = await ask('POST', 'auth/token/create', { policies: [policy], ...limits });
      return String(at(created, 'auth', 'client_token'));
    },
    async revoke(token) {
      await ask('POST', 'auth/token/revoke', { token });
    },
    async trustJwts(publicKey, { ttl, maxTtl }) {
      await ask('POST', 'auth/jwt/config', { jwt_validation_pubkeys: [publicKey] });
      await ask('POST', 'auth/jwt/role/chains', {
        role_type: 'jwt',
        bound_audiences: ['vault'],
        bound_subject: 'chains',
        user_claim: 'sub',
        token_policies: ['signer'],
        token_ttl: `${ttl}s`,
        token_max_ttl: maxTtl === undefined ? 0 : `${maxTtl}s`,
      });
    },
    async throttle(on) {
      const quota = 'sys/quotas/rate-limit/transit';
      if (on) {
        await ask('POST', quota, { path: 'transit/', rate: 1, interval: '60s' });
        // The one call that is let through.
        await ask('GET', 'transit/keys/chains');
      } else {
        await ask('DELETE', quota);
      }
    },
    async seal() {
      await ask('PUT', 'sys/seal');
    },
    unseal,
    stop: () => program.stop(),
    async restart() {
      program = await startProgram();
      await unseal();
    },
    async close() {
      await program.stop();
      await folder.remove();
    },
  };
}
