import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ecdsaDer } from '../../../src/sign/kms/azure.ts';
import { startAzureKeyVault } from '../../doubles/azure-key-vault.ts';
import { startTunnel } from '../../doubles/tunnel.ts';
import { authority, openWith, withEnvironment } from './environment.ts';
import { type KmsUnderTest, kmsSuite } from './kms.suite.ts';

const host = 'team.vault.azure.net';
const message = Buffer.from('message');

/** A Key Vault behind a proxy, which makes it and the authority be found under their own names. */
async function startWorld() {
  const vault = await startAzureKeyVault(authority.issue('Azure', [host, 'login.microsoftonline.com']));
  const tunnel = await startTunnel({ [host]: vault.port, 'login.microsoftonline.com': vault.authority.port });
  // Only what a pod has: no developer's tools, and nothing of the machine's own.
  Object.assign(process.env, {
    HTTPS_PROXY: tunnel.url,
    NO_PROXY: '127.0.0.1',
    AZURE_TOKEN_CREDENTIALS: 'prod',
  });
  return {
    vault,
    async close() {
      await Promise.all([vault.close(), tunnel.close()]);
    },
  };
}

let keys = 0;

async function start(): Promise<KmsUnderTest> {
  const { vault, close } = await startWorld();
  const [signer, reader] = [vault.createClient('signer'), vault.createClient('reader')];
  Object.assign(process.env, signer);
  const nameIn = (reference: string) => /key-\d+/.exec(reference)?.[0] ?? '';
  return {
    service: vault,
    secrets: [signer, reader].map((client) => client.AZURE_CLIENT_SECRET),
    settings: {},
    async create(kind, pss) {
      keys += 1;
      vault.createKey(`key-${keys}`, kind);
      return `azurekms://${host}/key-${keys}${pss ? '?padding=pss' : ''}`;
    },
    open: (reference, options) => openWith(reference, {}, options),
    openAsStranger: (reference) => openWith(reference, { AZURE_CLIENT_SECRET: 'another' }),
    async enable(reference, enabled) {
      for (const version of vault.keys.get(nameIn(reference))?.versions ?? []) version.enabled = enabled;
    },
    openAsReader: (reference) => openWith(reference, reader),
    async rotate(reference) {
      vault.rotate(nameIn(reference));
    },
    close,
  };
}

kmsSuite({
  name: 'azurekms',
  kinds: [
    { kind: 'P-256', digest: 'sha256' },
    { kind: 'P-384', digest: 'sha384' },
    { kind: 'P-521', digest: 'sha512' },
    { kind: 'RSA 2048', digest: 'sha256' },
    { kind: 'RSA 3072', digest: 'sha256' },
    { kind: 'RSA 4096', digest: 'sha256' },
    { kind: 'RSA 2048', digest: 'sha256', pss: true },
  ],
  refused: ['secp256k1'],
  throttled: {
    status: 429,
    json: {
      error: {
        code: 'Throttled',
        message: 'Request was not processed because too many requests were received.',
      },
    },
    headers: { 'retry-after': '1' },
  },
  disables: true,
  start,
});

test('a version in the reference signs, whichever is the newest', async (context) => {
  const { vault, close } = await startWorld();
  context.after(close);
  vault.createKey('chains', 'P-256');
  vault.rotate('chains');
  const reference = `azurekms://${host}/chains/${vault.versionName('chains', 0)}`;
  const signer = await openWith(reference, vault.createClient('signer'));
  const { key } = await signer.sign(message);
  const [first] = vault.keys.get('chains')?.versions ?? [];
  assert.ok(first && createPublicKey(key.publicKey).equals(first.publicKey));
  await signer.close?.();
});

test('workload identity and managed identity work', async (context) => {
  const { vault, close } = await startWorld();
  const folder = await mkdtemp(join(tmpdir(), 'chains-azure-'));
  context.after(() => Promise.all([close(), rm(folder, { recursive: true })]));
  vault.createKey('chains', 'P-256');
  const file = join(folder, 'token');
  await writeFile(file, vault.assertion);
  const reference = `azurekms://${host}/chains`;
  const workload = {
    ...vault.createClient('signer'),
    AZURE_CLIENT_SECRET: undefined,
    AZURE_FEDERATED_TOKEN_FILE: file,
  };
  const managed = {
    AZURE_TENANT_ID: undefined,
    AZURE_CLIENT_ID: undefined,
    AZURE_CLIENT_SECRET: undefined,
    AZURE_POD_IDENTITY_AUTHORITY_HOST: `http://127.0.0.1:${vault.metadata.port}`,
  };
  for (const variables of [workload, managed]) {
    const signer = await openWith(reference, variables);
    await withEnvironment(variables, () => signer.sign(message));
    await signer.close?.();
  }
  await writeFile(file, 'another');
  await assert.rejects(openWith(reference, workload), { code: 'KMS_REFUSED' });
});

test('r‖s becomes DER, with and without a zero before each number', () => {
  for (const namedCurve of ['P-256', 'P-384', 'P-521']) {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve });
    for (let round = 0; round < 40; round += 1) {
      const raw = sign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' });
      assert.ok(verify('sha256', message, publicKey, ecdsaDer(raw)));
    }
  }
  const zeros = ecdsaDer(Uint8Array.from([0, 0, 0, 1, 0, 0x80, 0, 0]));
  assert.equal(Buffer.from(zeros).toString('hex'), '3009020101020400800000');
});
