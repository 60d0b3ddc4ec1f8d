import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { crc32c } from '../../../src/http/crc32c.ts';
import { type GcpKmsDouble, startGcpKms } from '../../doubles/gcp-kms.ts';
import { startTunnel } from '../../doubles/tunnel.ts';
import { authority, openWith, withEnvironment } from './environment.ts';
import { type KmsUnderTest, kmsSuite } from './kms.suite.ts';

const ring = 'projects/p/locations/global/keyRings/r/cryptoKeys';
const message = Buffer.from('message');

/** A Cloud KMS behind a proxy, which makes it be found under its own name; and the files of credentials. */
async function startWorld() {
  const hosts = ['cloudkms.googleapis.com', 'oauth2.googleapis.com', 'sts.googleapis.com'];
  const kms = await startGcpKms(authority.issue('Google', hosts));
  const [port, tokens] = [kms.port, kms.tokens.port];
  const tunnel = await startTunnel(
    Object.fromEntries(hosts.map((host, index) => [host, index === 0 ? port : tokens])),
  );
  const folder = await mkdtemp(join(tmpdir(), 'chains-gcp-'));
  const proxy = { HTTPS_PROXY: tunnel.url, NO_PROXY: '127.0.0.1' };
  Object.assign(process.env, proxy);
  const credential = async (name: string, text: string): Promise<string> => {
    const file = join(folder, name);
    await writeFile(file, text);
    return file;
  };
  return {
    kms,
    credential,
    async close() {
      await Promise.all([kms.close(), tunnel.close(), rm(folder, { recursive: true })]);
    },
  };
}

let keys = 0;

async function start(): Promise<KmsUnderTest> {
  const { kms, credential, close } = await startWorld();
  const file = {
    signer: await credential('signer', kms.serviceAccount('signer@p', 'signer')),
    reader: await credential('reader', kms.serviceAccount('reader@p', 'reader')),
    stranger: await credential(
      'stranger',
      kms.serviceAccount('signer@p', 'signer').replace('signer@p', 'nobody@p'),
    ),
  };
  // The file of the signer is the newest of its account.
  await writeFile(file.signer, kms.serviceAccount('signer@p', 'signer'));
  process.env['GOOGLE_APPLICATION_CREDENTIALS'] = file.signer;
  const keyOf = (reference: string) => kms.keys.get(reference.replace('gcpkms://', ''));
  return {
    service: kms,
    // Keys, and whatever token or assertion was made with them.
    secrets: ['PRIVATE KEY', 'ya29.', 'eyJ'],
    settings: {},
    async create(kind, pss) {
      keys += 1;
      kms.createKey(`${ring}/key-${keys}`, kind, pss);
      return `gcpkms://${ring}/key-${keys}`;
    },
    open: (reference, options) => openWith(reference, {}, options),
    openAsStranger: (reference) => openWith(reference, { GOOGLE_APPLICATION_CREDENTIALS: file.stranger }),
    async enable(reference, enabled) {
      const version = keyOf(reference)?.versions.at(-1);
      if (version !== undefined) version.enabled = enabled;
    },
    openAsReader: (reference) => openWith(reference, { GOOGLE_APPLICATION_CREDENTIALS: file.reader }),
    async rotate(reference) {
      rotate(kms, reference);
    },
    close,
  };
}

function rotate(kms: GcpKmsDouble, reference: string): void {
  const name = reference.replace('gcpkms://', '');
  const { algorithm, kind, versions } = kms.keys.get(name) ?? assert.fail(name);
  kms.createKey(name, kind);
  kms.keys.set(name, { kind, algorithm, versions: [...versions, ...(kms.keys.get(name)?.versions ?? [])] });
}

kmsSuite({
  name: 'gcpkms',
  kinds: [
    { kind: 'P-256', digest: 'sha256' },
    { kind: 'P-384', digest: 'sha384' },
    { kind: 'RSA 2048', digest: 'sha256' },
    { kind: 'RSA 3072', digest: 'sha256' },
    { kind: 'RSA 4096', digest: 'sha512' },
    { kind: 'RSA 2048', digest: 'sha256', pss: true },
    { kind: 'RSA 4096', digest: 'sha512', pss: true },
  ],
  refused: ['secp256k1', 'Ed25519'],
  throttled: {
    status: 429,
    json: { error: { code: 429, status: 'RESOURCE_EXHAUSTED', message: 'Quota exceeded for quota metric' } },
  },
  checksums: ['public key', 'digest', 'signature', 'name'],
  disables: true,
  start,
});

test('the newest enabled version signs, another one at once when that is disabled, a pinned one always', async (context) => {
  const { kms, credential, close } = await startWorld();
  context.after(close);
  process.env['GOOGLE_APPLICATION_CREDENTIALS'] = await credential(
    'key',
    kms.serviceAccount('a@p', 'signer'),
  );
  const reference = `gcpkms://${ring}/chains`;
  kms.createKey(`${ring}/chains`, 'P-256');
  for (let version = 2; version <= 11; version += 1) rotate(kms, reference);
  const publicKey = (version: number) =>
    kms.keys.get(`${ring}/chains`)?.versions[version - 1]?.publicKey.export({ format: 'pem', type: 'spki' });
  const signer = await openWith(reference, {});
  assert.equal((await signer.sign(message)).key.publicKey, publicKey(11));
  const newest = kms.keys.get(`${ring}/chains`)?.versions[10];
  assert.ok(newest);
  newest.enabled = false;
  const signature = await signer.sign(message);
  assert.equal(signature.key.publicKey, publicKey(10));
  for (const form of ['cryptoKeyVersions', 'versions']) {
    const pinned = await openWith(`${reference}/${form}/3`, {});
    assert.equal((await pinned.sign(message)).key.publicKey, publicKey(3));
    await pinned.close?.();
  }
  await signer.close?.();
});

test('workload identity works: a federated token from a file, and the metadata server of GKE', async (context) => {
  const { kms, credential, close } = await startWorld();
  context.after(close);
  kms.createKey(`${ring}/chains`, 'P-256');
  const reference = `gcpkms://${ring}/chains`;
  const federated = await credential(
    'federated',
    kms.externalAccount(await credential('token', kms.subjectToken)),
  );
  const metadata = {
    GOOGLE_APPLICATION_CREDENTIALS: undefined,
    GCE_METADATA_HOST: `127.0.0.1:${kms.metadata.port}`,
    HOME: '/nowhere',
  };
  for (const variables of [{ GOOGLE_APPLICATION_CREDENTIALS: federated }, metadata]) {
    const signer = await openWith(reference, variables);
    await signer.sign(message);
    await signer.close?.();
  }
  const wrong = await credential('federated', kms.externalAccount(await credential('token', 'another')));
  await assert.rejects(openWith(reference, { GOOGLE_APPLICATION_CREDENTIALS: wrong }), {
    code: 'KMS_REFUSED',
  });
  await assert.rejects(openWith(reference, { GOOGLE_APPLICATION_CREDENTIALS: '/nowhere' }), {
    code: 'KMS_REFUSED',
    message: /\/nowhere.*GOOGLE_APPLICATION_CREDENTIALS/,
  });
});

test('a key file that was replaced is read when the tokens of the old key are no longer taken', async (context) => {
  const { kms, credential, close } = await startWorld();
  context.after(close);
  kms.createKey(`${ring}/chains`, 'P-256');
  const file = await credential('rotated', kms.serviceAccount('rotated@p', 'signer'));
  await withEnvironment({ GOOGLE_APPLICATION_CREDENTIALS: file }, async () => {
    const signer = await openWith(`gcpkms://${ring}/chains`, {});
    await signer.sign(message);
    await writeFile(file, kms.serviceAccount('rotated@p', 'signer'));
    kms.revokeTokens();
    await signer.sign(message);
    await signer.close?.();
  });
});

test('a request for a token that hangs holds up no later one', async (context) => {
  const { kms, credential, close } = await startWorld();
  context.after(close);
  kms.createKey(`${ring}/chains`, 'P-256');
  const file = await credential('hanging', kms.serviceAccount('hanging@p', 'signer'));
  await withEnvironment({ GOOGLE_APPLICATION_CREDENTIALS: file }, async () => {
    const signer = await openWith(`gcpkms://${ring}/chains`, {}, { timeout: 1_000 });
    kms.revokeTokens();
    kms.tokens.trouble.hang = true;
    await assert.rejects(signer.sign(message), { code: 'KMS_UNAVAILABLE', message: /no answer within 1 s/ });
    kms.tokens.trouble.hang = false;
    await signer.sign(message);
    await signer.close?.();
  });
});

test('the checksum is CRC-32C', () => {
  // RFC 3720, B.4, and the usual check value.
  assert.equal(crc32c(Buffer.alloc(32)), 0x8a9136aa);
  assert.equal(crc32c('123456789'), 0xe3069283);
});
