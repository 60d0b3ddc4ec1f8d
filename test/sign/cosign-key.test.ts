import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject, verify } from 'node:crypto';
import { test } from 'node:test';
import { parseConfig } from '../../src/config/parse.ts';
import { sealBox } from '../../src/sign/cosign-box.ts';
import { signers } from '../../src/sign/index.ts';
import { keyIdOf } from '../../src/keys/key-id.ts';
import { keyPairs, pkcs8, secretsWith, spki } from './keys.ts';

const { config } = parseConfig({});
const openX509 = await signers.x509();
const payload = Buffer.from('{"steps":[]}');
const password = 'correct horse';

/** A file as cosign writes it; `label` is cosign 2's and 3's unless said otherwise. */
const fileOf = (json: string, label = 'ENCRYPTED SIGSTORE PRIVATE KEY') =>
  `-----BEGIN ${label}-----\n${Buffer.from(json).toString('base64')}\n-----END ${label}-----\n`;
const sealed = (key: KeyObject, secret: string) =>
  sealBox(key.export({ format: 'der', type: 'pkcs8' }), Buffer.from(secret));
const open = (file: string | Uint8Array, secret: string | Uint8Array = password) =>
  openX509(config, secretsWith({ 'cosign.key': file, 'cosign.password': secret }));

for (const [name, generate] of Object.entries(keyPairs)) {
  test(`a key of cosign of the kind ${name} signs when there is no x509.pem`, async () => {
    const { publicKey, privateKey } = generate();
    const signer = await open(fileOf(await sealed(privateKey, password)));
    const { bytes, key: full } = await signer.sign(payload);
    const key = { publicKey: full.publicKey, keyId: full.keyId };
    assert.deepEqual(key, { publicKey: spki(publicKey), keyId: keyIdOf(publicKey) });
    assert.ok(verify(name === 'Ed25519' ? null : 'sha256', payload, publicKey, bytes));
  });
}

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const json = await sealed(privateKey, password);
const box: { kdf: { name: string; params: Record<string, number> }; cipher: object; ciphertext: string } =
  JSON.parse(json);

test('the PEM label of cosign 1 is read too', async () => {
  assert.ok(await (await open(fileOf(json, 'ENCRYPTED COSIGN PRIVATE KEY'))).sign(payload));
});

for (const end of ['\n', '\r\n']) {
  test(`one line end behind the password is not part of it: ${JSON.stringify(end)}`, async () => {
    assert.ok(await (await open(fileOf(json), `${password}${end}`)).sign(payload));
    await assert.rejects(open(fileOf(json), `${password}${end}${end}`), { code: 'KEY_INVALID' });
  });
}

test('a key whose password does end with a line end is opened as well', async () => {
  const file = fileOf(await sealed(privateKey, `${password}\n`));
  assert.ok(await (await open(file, `${password}\n`)).sign(payload));
});

test('an empty password is a password', async () => {
  assert.ok(await (await open(fileOf(await sealed(privateKey, '')), '')).sign(payload));
});

test('x509.pem goes before cosign.key', async () => {
  const other = generateKeyPairSync('ed25519');
  const files = { 'x509.pem': pkcs8(other.privateKey), 'cosign.key': 'x' };
  const { key } = await (await openX509(config, secretsWith(files))).sign(payload);
  assert.equal(key.publicKey, spki(other.publicKey));
});

const withKdf = (kdf: object) => fileOf(JSON.stringify({ ...box, kdf: { ...box.kdf, ...kdf } }));
const withParams = (params: object) => withKdf({ params: { ...box.kdf.params, ...params } });
const sealedBytes = async (bytes: string) => fileOf(await sealBox(Buffer.from(bytes), Buffer.from(password)));
const secp256k1 = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey;

/** What is wrong with the file, the file, and what the message says of it. */
const refused: readonly (readonly [string, string, RegExp])[] = [
  ['an empty file', '\n', /is empty; make a new one: `chains keygen --type cosign`/],
  ['no PEM', 'garbage', /is not a PEM file/],
  ['a PKCS#8 key', pkcs8(privateKey), /PKCS#8 key without a password, which belongs in `x509\.pem`/],
  ['another PEM', fileOf('x', 'PUBLIC KEY'), /is a PUBLIC KEY, not a key of cosign/],
  ['two keys', fileOf(json) + fileOf(json), /holds 2 PEM blocks; leave only/],
  ['a file cut off', fileOf(json).slice(0, 300), /is cut off or damaged: .*-----END ENCRYPTED SIGSTORE/],
  ['JSON cut off', fileOf(json.slice(0, -9)), /is cut off or damaged: .*is not JSON/],
  ['other JSON', fileOf('{}'), /its JSON names no `kdf` or no `cipher`/],
  ['a list', fileOf('[null]'), /its JSON names no `kdf`/],
  ['an unknown KDF', withKdf({ name: 'argon2id' }), /derives its key with "argon2id"; only scrypt/],
  [
    'an unknown cipher',
    fileOf(JSON.stringify({ ...box, cipher: { name: 'rot13' } })),
    /encrypted with "rot13"/,
  ],
  ['N that is not a power of two', withParams({ N: 65_535 }), /a power of two/],
  ['N of 1', withParams({ N: 1 }), /a power of two above 1/],
  ['an r of 0', withParams({ r: 0 }), /whole numbers above 0/],
  ['a p that is not a number', withParams({ p: '1' }), /whole numbers above 0/],
  ['too much memory', withParams({ N: 2 ** 19 }), /N=524288, r=8, p=1\) for 512 MiB of memory; 256 MiB/],
  ['little N and much r', withParams({ N: 2, r: 2 ** 20 }), /MiB of memory; 256 MiB are allowed/],
  ['absurd memory', withParams({ N: 2 ** 50 }), /MiB of memory; 256 MiB are allowed/],
  ['too much time', withParams({ p: 1_000 }), /p=1000\) for 63 times the time that is allowed/],
  [
    'a short nonce',
    fileOf(JSON.stringify({ ...box, cipher: { name: 'nacl/secretbox', nonce: 'AAAA' } })),
    /nonce/,
  ],
  [
    'no ciphertext',
    fileOf(JSON.stringify({ ...box, ciphertext: '' })),
    /ciphertext is missing or has the wrong/,
  ],
  ['no PKCS#8 inside', await sealedBytes('no key'), /holds no PKCS#8 key/],
  ['another curve inside', fileOf(await sealed(secp256k1, password)), /EC key on secp256k1/],
];

for (const [name, file, message] of refused) {
  test(`what is not an usable key of cosign is refused with the reason: ${name}`, async () => {
    await assert.rejects(open(file), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'KEY_INVALID');
      assert.match(error.message, /^\/etc\/signing-secrets\/cosign\.key /);
      assert.match(error.message, message);
      assert.ok(!error.message.includes('\n') && !error.message.includes(password));
      return true;
    });
  });
}

for (const params of [{ N: 2 ** 18 }, { p: 16 }]) {
  test(`the most that scrypt may take is still tried: ${JSON.stringify(params)}`, async () => {
    // With other parameters it is another key, so that no password opens the file.
    await assert.rejects(open(withParams(params)), { message: /can't be opened with the password/ });
  });
}

test('a wrong password and a missing one say so', async () => {
  await assert.rejects(open(fileOf(json), 'wrong'), {
    code: 'KEY_INVALID',
    message: /cosign\.key can't be opened with the password in `cosign\.password`/,
  });
  await assert.rejects(openX509(config, secretsWith({ 'cosign.key': fileOf(json) })), {
    code: 'KEY_INVALID',
    message: /there is no `cosign\.password` next to it/,
  });
});

test("a password that can't be read is that error", async () => {
  const unreadable = new Map([['cosign.password', 'may not be read']]);
  await assert.rejects(openX509(config, { ...secretsWith({ 'cosign.key': fileOf(json) }), unreadable }), {
    code: 'KEY_INVALID',
    message: '/etc/signing-secrets/cosign.password may not be read',
  });
});
