import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { test } from 'node:test';
import { parseConfig } from '../../src/config/parse.ts';
import { signers } from '../../src/sign/index.ts';
import { keyIdOf } from '../../src/keys/key-id.ts';
import { keyPairs, pkcs8, secretsWith, spki } from './keys.ts';
import { rsaKeyPair } from './rsa-keys.ts';

const { config } = parseConfig({});
const openX509 = await signers.x509();
const payload = Buffer.from('{"steps":[]}');
const open = (file: string | Uint8Array) => openX509(config, secretsWith({ 'x509.pem': file }));

for (const [name, generate] of Object.entries(keyPairs)) {
  test(`a key of the kind ${name} signs the payload, and the signature carries the public key`, async () => {
    const { publicKey, privateKey } = generate();
    const signer = await open(pkcs8(privateKey));
    const signature = await signer.sign(payload);
    const digest = name === 'Ed25519' ? null : 'sha256';
    const { algorithm, ...key } = signature.key;
    assert.deepEqual(key, { publicKey: spki(publicKey), keyId: keyIdOf(publicKey) });
    assert.equal(algorithm?.digest, digest ?? undefined);
    assert.ok(verify(digest, payload, publicKey, signature.bytes));
    assert.ok(!verify(digest, Buffer.from('{"steps":[1]}'), publicKey, signature.bytes));
  });
}

test("line ends of Windows, blanks around the key and text before it don't matter", async () => {
  const { privateKey } = generateKeyPairSync('ed25519');
  const file = `a note\r\n \n${pkcs8(privateKey).replaceAll('\n', '\r\n')} \n\t`;
  assert.ok(await (await open(file)).sign(payload));
});

test('a P-256 key that spells its curve out in numbers gives the public key that names it', async () => {
  const options = { namedCurve: 'P-256', paramEncoding: 'explicit' } as const;
  const { privateKey } = generateKeyPairSync('ec', options);
  assert.ok(pkcs8(privateKey).length > 400);
  const { key } = await (await open(pkcs8(privateKey))).sign(payload);
  assert.equal(createPublicKey(key.publicKey).export({ format: 'der', type: 'spki' }).length, 91);
});

test('an aborted signal is heeded', async () => {
  const signer = await open(pkcs8(generateKeyPairSync('ed25519').privateKey));
  await assert.rejects(signer.sign(payload, { signal: AbortSignal.abort() }), { name: 'AbortError' });
});

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const rsa = rsaKeyPair(2048);
const ed25519 = generateKeyPairSync('ed25519');
const sec1 = ec.privateKey.export({ format: 'pem', type: 'sec1' }).toString();
const encrypted = { cipher: 'aes-256-cbc', passphrase: 'a passphrase' } as const;
const block = (label: string, bytes: Uint8Array | string) =>
  `-----BEGIN ${label}-----\n${Buffer.from(bytes).toString('base64')}\n-----END ${label}-----\n`;
const convert = /`openssl pkcs8 -topk8 -nocrypt -in \/etc\/signing-secrets\/x509\.pem -out converted\.pem`/;
const makeNew = /`openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out x509\.pem`/;

/** What a file is, the file, and what the message says besides the file's name. */
const refused: readonly (readonly [string, string | Uint8Array, readonly RegExp[]])[] = [
  ['SEC1', sec1, [/SEC1/, convert]],
  [
    'SEC1 with its parameters, as openssl ecparam writes it',
    `${block('EC PARAMETERS', Buffer.from('06082a8648ce3d030107', 'hex'))}${sec1}`,
    [/SEC1/, convert],
  ],
  ['PKCS#1', rsa.privateKey.export({ format: 'pem', type: 'pkcs1' }).toString(), [/PKCS#1/, convert]],
  [
    'encrypted PKCS#1',
    rsa.privateKey.export({ format: 'pem', type: 'pkcs1', ...encrypted }).toString(),
    [/encrypted RSA key in PKCS#1/, convert],
  ],
  [
    'encrypted PKCS#8',
    ec.privateKey.export({ format: 'pem', type: 'pkcs8', ...encrypted }).toString(),
    [/is encrypted/, convert],
  ],
  ['a certificate', block('CERTIFICATE', 'x'), [/is a certificate/, /openssl pkcs8 -topk8/]],
  ['a public key', spki(ec.publicKey), [/is a public key/, /openssl pkcs8 -topk8/]],
  ['OpenSSH', block('OPENSSH PRIVATE KEY', 'openssh-key-v1'), [/OpenSSH/, /ssh-keygen -p -m PKCS8/]],
  [
    'OpenSSH Ed25519',
    block('OPENSSH PRIVATE KEY', 'openssh-key-v1 ssh-ed25519'),
    [/OpenSSH/, /openssl genpkey -algorithm ed25519/],
  ],
  ['a cosign key', block('ENCRYPTED SIGSTORE PRIVATE KEY', 'x'), [/cosign\.key/, /cosign\.password/]],
  ['a PGP key', block('PGP PRIVATE KEY BLOCK', 'x'), [/pgp\.private-key/, /the signer `pgp`/]],
  ['an unknown block', block('X', 'x'), [/is a X, not a PRIVATE KEY/, makeNew]],
  [
    'another curve',
    pkcs8(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey),
    [/EC key on secp256k1/, makeNew],
  ],
  ['Ed448', pkcs8(generateKeyPairSync('ed448').privateKey), [/type ed448/, makeNew]],
  [
    'RSA-PSS',
    pkcs8(generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).privateKey),
    [/type rsa-pss/, makeNew],
  ],
  ['a short RSA key', pkcs8(rsaKeyPair(1024).privateKey), [/RSA key of 1024 bits/, makeNew]],
  [
    'two keys',
    pkcs8(ec.privateKey) + pkcs8(ed25519.privateKey),
    [/holds 2 PEM blocks \(PRIVATE KEY, PRIVATE KEY\)/, /`openssl pkey -in .* -out converted\.pem`/],
  ],
  ['an empty file', ' \n', [/is empty/, makeNew]],
  ['garbage', '\u0000\u0001garbage', [/is not a PEM file/, makeNew]],
  [
    'DER',
    ec.privateKey.export({ format: 'der', type: 'pkcs8' }),
    [/is binary \(DER\)/, /-inform DER -in \/etc/],
  ],
  [
    'base64 of PEM',
    Buffer.from(pkcs8(ec.privateKey)).toString('base64'),
    [/base64-encoded once more/, /`base64 -d /],
  ],
  [
    'a key cut off',
    pkcs8(ec.privateKey).slice(0, 90),
    [/is damaged/, /`openssl pkey -noout -in \/etc\/signing-secrets\/x509\.pem`/],
  ],
  ['a damaged key', block('PRIVATE KEY', 'x'), [/is damaged/]],
];

for (const [name, file, says] of refused) {
  test(`what is not an usable key is refused with its name and the way out: ${name}`, async () => {
    await assert.rejects(open(file), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'KEY_INVALID');
      for (const pattern of [/^\/etc\/signing-secrets\/x509\.pem /, ...says]) {
        assert.match(error.message, pattern);
      }
      assert.ok(!error.message.includes('\n'));
      return true;
    });
  });
}

test('a file whose public half belongs to another key is refused', async () => {
  const [a, b] = [generateKeyPairSync('ec', { namedCurve: 'P-256' }), ec].map(({ privateKey }) =>
    privateKey.export({ format: 'der', type: 'pkcs8' }),
  );
  assert.ok(a && b);
  // The public point is the last 65 bytes of the structure.
  const mixed = Buffer.concat([a.subarray(0, -65), b.subarray(-65)]);
  await assert.rejects(open(block('PRIVATE KEY', mixed)), { code: 'KEY_INVALID' });
});

test('no message shows anything of the key', async () => {
  const secret = pkcs8(ec.privateKey).split('\n')[1] ?? '';
  await assert.rejects(open(pkcs8(ec.privateKey).replace('-----END', 'END')), (error: Error) => {
    assert.ok(secret.length > 40 && !error.message.includes(secret.slice(0, 16)));
    return true;
  });
});

test('without a key the error names the folder and how to make one', async () => {
  await assert.rejects(openX509(config, secretsWith({})), {
    code: 'KEY_INVALID',
    message:
      /\/etc\/signing-secrets, has no `x509\.pem` and no `cosign\.key`.*kubectl create secret.*chains keygen/,
  });
  const missing = { ...secretsWith({}), missing: 'does not exist' };
  await assert.rejects(openX509(config, missing), { message: /\/etc\/signing-secrets, does not exist/ });
});

test("a key that is there but can't be read is that error, not a missing key", async () => {
  const unreadable = new Map([['x509.pem', 'may not be read']]);
  await assert.rejects(openX509(config, { ...secretsWith({ 'cosign.key': 'x' }), unreadable }), {
    code: 'KEY_INVALID',
    message: '/etc/signing-secrets/x509.pem may not be read',
  });
});

for (const [name, generate] of Object.entries(keyPairs)) {
  test(`a key of the kind ${name} gives the same message the same signature again where that is asked for`, async () => {
    const { publicKey, privateKey } = generate();
    const signer = await open(pkcs8(privateKey));
    const { bytes } = await signer.sign(payload, { repeatable: true });
    const other = await (await open(pkcs8(privateKey))).sign(payload, { repeatable: true });
    assert.ok(Buffer.from(bytes).equals(other.bytes));
    assert.ok(verify(name === 'Ed25519' ? null : 'sha256', payload, publicKey, bytes));
  });
}
