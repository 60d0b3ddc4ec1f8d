import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import * as openpgp from 'openpgp';
import { parseConfig } from '../../src/config/parse.ts';
import { inTotoType, preAuthEncoding } from '../../src/keys/dsse.ts';
import type { Signature } from '../../src/model/signature.ts';
import { signers, signPayload } from '../../src/sign/index.ts';
import { pkcs8, secretsWith } from './keys.ts';

const { config } = parseConfig({});
const openPgp = await signers.pgp();
const payload = Buffer.from('{"steps":[]}');
const passphrase = 'correct horse';
const day = 24 * 60 * 60;
const ago = (days: number) => new Date(Date.now() - days * day * 1_000);

const open = (file: string | Uint8Array, secret?: string | Uint8Array) =>
  openPgp(
    config,
    secretsWith({ 'pgp.private-key': file, ...(secret === undefined ? {} : { 'pgp.passphrase': secret }) }),
  );

type Options = Partial<openpgp.KeyOptions>;
/** A new private key, Ed25519 without subkeys unless said otherwise. */
const generate = (options: Options = {}) =>
  openpgp.generateKey({
    ...{ type: 'ecc', curve: 'ed25519Legacy', subkeys: [], userIDs: [{ name: 'Test' }], ...options },
    format: 'object',
  });
const armored = async (options: Options = {}) => (await generate(options)).privateKey.armor();

/** Whether the library verifies a signature under the public key that comes with it, and when it says it was made. */
async function check({ bytes, key }: Signature, message: Uint8Array) {
  const { signatures } = await openpgp.verify({
    message: await openpgp.createMessage({ binary: message }),
    signature: await openpgp.readSignature({ armoredSignature: Buffer.from(bytes).toString() }),
    verificationKeys: await openpgp.readKey({ armoredKey: key.publicKey }),
    format: 'binary',
    // At whatever time it says itself.
    date: null,
  });
  const [only] = signatures;
  assert.ok(only !== undefined && signatures.length === 1);
  const [packet] = (await only.signature).packets;
  assert.ok(packet?.created);
  return { verified: await only.verified.catch(() => false), keyId: only.keyID.toHex(), packet };
}

for (const [name, options] of Object.entries<Options>({
  Ed25519: {},
  RSA: { type: 'rsa', rsaBits: 2048 },
  'ECDSA P-256': { curve: 'nistP256' },
  'ECDSA P-384': { curve: 'nistP384' },
  'ECDSA P-521': { curve: 'nistP521' },
})) {
  test(`a PGP key of the kind ${name} makes an armored, detached, binary signature of version 4`, async () => {
    const signature = await (await open(await armored(options))).sign(payload);
    assert.match(
      Buffer.from(signature.bytes).toString(),
      /^-----BEGIN PGP SIGNATURE-----\n[^]*\n-----END PGP SIGNATURE-----\n$/,
    );
    const { verified, packet } = await check(signature, payload);
    assert.ok(verified);
    assert.deepEqual([packet.version, packet.signatureType], [4, openpgp.enums.signature.binary]);
    const { sha256, sha384, sha512 } = openpgp.enums.hash;
    assert.ok([sha256, sha384, sha512].some((hash) => hash === packet.hashAlgorithm));
    assert.match(signature.key.publicKey, /^-----BEGIN PGP PUBLIC KEY BLOCK-----/);
    assert.match(signature.key.keyId, /^SHA256:[\w+/]{43}$/);
  });
}

test('another message does not verify', async () => {
  const signature = await (await open(await armored())).sign(payload);
  assert.equal((await check(signature, Buffer.from('{}'))).verified, false);
});

for (const end of ['', '\n', '\r\n']) {
  test(`a passphrase opens the key, with one line end behind it or none: ${JSON.stringify(end)}`, async () => {
    const signer = await open(await armored({ passphrase }), passphrase + end);
    assert.ok((await check(await signer.sign(payload), payload)).verified);
  });
}

test('only one line end is taken off, and blanks are part of a passphrase', async () => {
  const file = await armored({ passphrase: 'ends with a blank \n' });
  assert.ok(await open(file, 'ends with a blank \n\n'));
  await assert.rejects(open(file, 'ends with a blank \n'), { code: 'KEY_INVALID' });
});

test("line ends of Windows and text around the block don't matter", async () => {
  const file = `note\r\n${(await armored()).replaceAll('\n', '\r\n')}\r\nend`;
  assert.ok(await (await open(file)).sign(payload));
});

test('the newest signing subkey signs, and the id is that of the subkey', async () => {
  const { privateKey } = await generate({ date: ago(9), subkeys: [{ sign: true }, {}] });
  const newest = await privateKey.addSubkey({ sign: true, type: 'ecc', curve: 'nistP256', date: ago(1) });
  const signature = await (await open(newest.armor())).sign(payload);
  const { verified, keyId } = await check(signature, payload);
  assert.ok(verified);
  assert.equal(keyId, newest.subkeys[2]?.getKeyID().toHex());
  const primaryAlone = await (await open(privateKey.armor())).sign(payload);
  assert.notEqual(signature.key.keyId, primaryAlone.key.keyId);
});

test('a signing subkey that is expired, revoked or not in the file gives way to what gpg would take then', async () => {
  const { privateKey } = await generate({ date: ago(9), subkeys: [{ sign: true, date: ago(9) }] });
  const expired = await privateKey.addSubkey({ sign: true, date: ago(5), keyExpirationTime: day });
  const revoked = await expired.addSubkey({ sign: true, date: ago(3) });
  const [older, , last] = revoked.subkeys;
  assert.ok(older && last && revoked.keyPacket instanceof openpgp.SecretKeyPacket);
  revoked.subkeys = [...expired.subkeys, await last.revoke(revoked.keyPacket)];
  const first = await check(await (await open(revoked.armor())).sign(payload), payload);
  assert.equal(first.keyId, older.getKeyID().toHex());
  assert.ok(older.keyPacket instanceof openpgp.SecretKeyPacket);
  older.keyPacket.makeDummy();
  const then = await check(await (await open(revoked.armor())).sign(payload), payload);
  assert.equal(then.keyId, revoked.getKeyID().toHex());
});

test('a primary key that is kept elsewhere leaves its signing subkey to work', async () => {
  const { privateKey } = await generate({ subkeys: [{ sign: true }], passphrase });
  assert.ok(privateKey.keyPacket instanceof openpgp.SecretKeyPacket);
  privateKey.keyPacket.makeDummy();
  const signature = await (await open(privateKey.armor(), passphrase)).sign(payload);
  assert.ok((await check(signature, payload)).verified);
});

test("a signature bears the run's completion time where that is later than now", async () => {
  const signer = await open(await armored());
  const later = new Date('2099-01-01T00:00:00Z');
  const [before, after] = [
    await signer.sign(payload, { notBefore: ago(1) }),
    await signer.sign(payload, { notBefore: later }),
  ];
  const made = (await check(before, payload)).packet.created?.getTime() ?? 0;
  assert.ok(Math.abs(Date.now() - made) < day * 1_000 && made > ago(0.5).getTime());
  assert.deepEqual((await check(after, payload)).packet.created, later);
});

test('a fraction of a second does not make a signature older than what it signs', async () => {
  const notBefore = new Date('2099-01-01T00:00:00.001Z');
  const signature = await (await open(await armored())).sign(payload, { notBefore });
  assert.deepEqual((await check(signature, payload)).packet.created, new Date('2099-01-01T00:00:01Z'));
});

test('a key that expires while it is open signs no longer', async () => {
  const signer = await open(await armored({ keyExpirationTime: day }));
  assert.ok(await signer.sign(payload));
  await assert.rejects(signer.sign(payload, { notBefore: new Date(Date.now() + 2 * day * 1_000) }), {
    code: 'KEY_INVALID',
    message: /expired on \d{4}-.*`gpg --quick-set-expire`/,
  });
});

test('an in-toto payload gets an envelope with the armored signature over the pre-authentication encoding', async () => {
  const signer = await open(await armored());
  const stored = await signPayload(signer, { bytes: payload, format: 'in-toto', dsseType: inTotoType });
  const { signatures } = JSON.parse(Buffer.from(stored.bytes).toString());
  assert.equal(signatures[0].keyid, stored.key.keyId);
  const inner = { ...stored, bytes: Buffer.from(signatures[0].sig, 'base64') };
  assert.ok((await check(inner, preAuthEncoding(inTotoType, payload))).verified);
});

test('an aborted signal is heeded', async () => {
  const signer = await open(await armored());
  await assert.rejects(signer.sign(payload, { signal: AbortSignal.abort() }), { name: 'AbortError' });
});

const plain = await generate();
const locked = await armored({ passphrase });
const encrypting = (await generate({ subkeys: [{}] })).privateKey;
assert.ok(encrypting.keyPacket instanceof openpgp.SecretKeyPacket);
encrypting.keyPacket.makeDummy();
const both = Buffer.concat([plain.privateKey.write(), (await generate()).privateKey.write()]);
const armor = (bytes: Uint8Array) => openpgp.armor(openpgp.enums.armor.privateKey, bytes);
const file = plain.privateKey.armor();
/** The fifth character of the second line is another one. */
const flipped = file.replace(
  /\n\n(.{5})(.)/,
  (_, head: string, one: string) => `\n\n${head}${one === 'A' ? 'B' : 'A'}`,
);
const revoked = await openpgp.revokeKey({ key: plain.privateKey, format: 'object' });
const unsigned = Uint8Array.from(plain.privateKey.write());
unsigned.set([(unsigned.at(-1) ?? 0) ^ 1], unsigned.length - 1);
const exported = /`gpg --armor --export-secret-keys KEYID > pgp\.private-key`/;

/** What is wrong, the file, and what the message says of it. */
const refused: readonly (readonly [string, string | Uint8Array, readonly RegExp[]])[] = [
  ['an empty file', ' \n', [/is empty/, exported]],
  ['garbage', 'garbage', [/is not an armored PGP key/, exported]],
  ['a binary key', plain.privateKey.write(), [/is binary, not armored/, exported]],
  ['a public key', plain.publicKey.armor(), [/is a public key; export the private key/, exported]],
  [
    'a PKCS#8 key',
    pkcs8(generateKeyPairSync('ed25519').privateKey),
    [/PKCS#8 key, which belongs in `x509\.pem`/],
  ],
  ['another armored block', file.replaceAll('PRIVATE KEY BLOCK', 'MESSAGE'), [/is a PGP MESSAGE/]],
  [
    'two blocks',
    file + plain.publicKey.armor(),
    [/holds 2 armored blocks \(PGP PRIVATE KEY BLOCK, PGP PUBLIC/],
  ],
  ['two keys in one block', armor(both), [/holds 2 private keys \([0-9A-F]{16}, [0-9A-F]{16}\); leave one/]],
  ['a file cut off', file.slice(0, 200), [/is cut off: it has no line -----END PGP PRIVATE/, exported]],
  ['a damaged armor', flipped, [/is damaged: its checksum does not match/, exported]],
  ['a block that holds no key', armor(Buffer.from('no packets')), [/is damaged, or a kind of key/]],
  [
    'an expired key',
    await armored({ date: ago(9), keyExpirationTime: day }),
    [/the key [0-9A-F]{16} expired on \d{4}/],
  ],
  ['a revoked key', revoked.privateKey.armor(), [/the key [0-9A-F]{16} is revoked; sign with another key/]],
  [
    'a key of the future',
    await armored({ date: ago(-9) }),
    [/is valid only from \d{4}-.* on; set the clocks right/],
  ],
  [
    'an encryption key alone',
    encrypting.armor(),
    [/no part that may sign: .*is of the kind ecdh.*; .*no secret part/],
  ],
  [
    'a key that did not sign its user id',
    armor(unsigned),
    [/is refused \(Could not find valid self-signature/],
  ],
  ['a missing passphrase', locked, [/has a passphrase, and there is no `pgp\.passphrase`/]],
  [
    'Ed25519 that gpg 2.2 does not know',
    await armored({ type: 'curve25519' }),
    [/of the kind ed25519, not RSA/],
  ],
  [
    'a key of version 6',
    await armored({ type: 'curve25519', config: { v6Keys: true } }),
    [/is a key of version 6, which gpg can't verify/],
  ],
];

for (const [name, content, says] of refused) {
  test(`what is not an usable PGP key is refused with the reason: ${name}`, async () => {
    await assert.rejects(open(content), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'KEY_INVALID');
      for (const pattern of [/^\/etc\/signing-secrets\/pgp\.private-key:? /, ...says])
        assert.match(error.message, pattern);
      assert.ok(!error.message.includes('\n'));
      return true;
    });
  });
}

test('a wrong passphrase, and one that is not text, say so', async () => {
  for (const secret of ['wrong', '']) {
    await assert.rejects(open(locked, secret), {
      code: 'KEY_INVALID',
      message:
        /the passphrase in `pgp\.passphrase` is not that of the key [0-9A-F]{16}; put the right one there/,
    });
  }
  await assert.rejects(open(locked, Buffer.from([0xff])), { message: /no `pgp\.passphrase` in UTF-8/ });
});

test('a passphrase with a key that has none is passed over', async () => {
  assert.ok(await (await open(file, passphrase)).sign(payload));
});

for (const secret of ['', passphrase]) {
  test(`a key whose secret part belongs to another key is refused, ${secret === '' ? 'without' : 'with'} a passphrase`, async () => {
    const [{ privateKey }, other] = [await generate(), (await generate()).privateKey];
    const [mine, foreign] = [privateKey.keyPacket, other.keyPacket];
    assert.ok(mine instanceof openpgp.SecretKeyPacket && foreign instanceof openpgp.SecretKeyPacket);
    mine.privateParams = foreign.privateParams;
    const mixed = secret === '' ? privateKey : await openpgp.encryptKey({ privateKey, passphrase: secret });
    await assert.rejects(open(mixed.armor(), secret), {
      code: 'KEY_INVALID',
      message: /the key [0-9A-F]{16} is damaged: its secret part does not fit its public part/,
    });
  });
}

test('a key whose public part belongs to another key is refused', async () => {
  const [a, b] = [plain.privateKey.write(), (await generate()).privateKey.write()];
  // Tag, length, version, time, algorithm, curve and the point's length come before the point.
  const at = 2 + 1 + 4 + 1 + 10 + 2 + 1;
  const mixed = Buffer.concat([a.subarray(0, at), b.subarray(at, at + 32), a.subarray(at + 32)]);
  await assert.rejects(open(armor(mixed)), { code: 'KEY_INVALID' });
});

test('subkeys that come into force while the key is open are unlocked once, however many sign at once', async () => {
  const { privateKey } = await generate({ date: ago(9) });
  const later = new Date(Date.now() + 2 * day * 1_000);
  const coming = await privateKey.addSubkey({ sign: true, date: later });
  const signer = await open(
    (await openpgp.encryptKey({ privateKey: coming, passphrase })).armor(),
    passphrase,
  );
  assert.equal((await check(await signer.sign(payload), payload)).keyId, privateKey.getKeyID().toHex());
  const notBefore = new Date(later.getTime() + day * 1_000);
  for (const signature of await Promise.all([1, 2, 3].map(() => signer.sign(payload, { notBefore })))) {
    assert.equal((await check(signature, payload)).keyId, coming.subkeys[0]?.getKeyID().toHex());
  }
});

test('without a key the error names the folder and how to get one', async () => {
  await assert.rejects(openPgp(config, secretsWith({})), {
    code: 'KEY_INVALID',
    message: /\/etc\/signing-secrets, has no `pgp\.private-key`: .*gpg --armor.*chains keygen --type pgp/,
  });
});
