import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as openpgp from 'openpgp';
import { config, readArmoredKey, verifyPgp } from '../../src/keys/pgp.ts';
import { includesSignatureOf } from '../../src/keys/signed-by.ts';
import { signers } from '../../src/sign/index.ts';
import { parseConfig } from '../../src/config/parse.ts';
import { readKeys } from '../../src/verify/public-key.ts';
import { secretsWith } from '../sign/keys.ts';
import { signedArtifact } from '../store/entries.ts';

const message = Buffer.from('a payload');

async function newKey(): Promise<openpgp.PrivateKey> {
  const { privateKey } = await openpgp.generateKey({
    userIDs: { name: 'test' },
    type: 'rsa',
    rsaBits: 2048,
    format: 'object',
    subkeys: [],
    config,
  });
  return privateKey;
}

async function signed(key: openpgp.PrivateKey): Promise<string> {
  const signer = await (await signers.pgp())(
    parseConfig({}).config,
    secretsWith({ 'pgp.private-key': key.armor() }),
  );
  return Buffer.from((await signer.sign(message)).bytes).toString();
}

test('one armored block is a signature; a second one, or any text next to it, is not', async () => {
  const key = await newKey();
  const signature = await signed(key);
  const publicKey = await readArmoredKey(key.toPublic().armor());
  const faultOf = async (text: string) => verifyPgp(publicKey, message, Buffer.from(text));
  assert.equal(typeof (await faultOf(signature)), 'object');
  assert.equal(typeof (await faultOf(`${signature}\n \t\r\n`)), 'object');
  for (const text of [
    signature + signature,
    `${signature}-----BEGIN PGP SIGNATURE-----`,
    `${signature}\nand this`,
    `this and\n${signature}`,
    ` ${signature}`,
    signature.replace('-----END PGP SIGNATURE-----', ''),
    '',
  ])
    assert.match(String(await faultOf(text)), /not one PGP SIGNATURE block/);
  const other = await readArmoredKey((await newKey()).toPublic().armor());
  assert.match(String(await verifyPgp(other, message, Buffer.from(signature))), /did not make/);
});

test('a PGP key without key flags signs, verifies, and knows its own signatures again', async () => {
  const key = await newKey();
  const [user] = key.users;
  const certification = user?.selfCertifications[0];
  assert.ok(user !== undefined && certification !== undefined);
  certification.keyFlags = null;
  const packet = key.keyPacket;
  assert.ok(packet instanceof openpgp.SecretKeyPacket);
  // Its types don't know the last argument, without which it can't sign.
  const data = { userID: user.userID, key: packet };
  await Reflect.apply(certification.sign, certification, [packet, data, new Date(), false, config]);
  const flagless = await openpgp.readPrivateKey({ armoredKey: key.armor() });
  assert.equal(flagless.users[0]?.selfCertifications[0]?.keyFlags, null);
  const signature = Buffer.from(await signed(flagless));
  const publicKey = flagless.toPublic().armor();
  const [verifier] = await readKeys([publicKey]);
  assert.equal(await verifier?.check(message, signature), undefined);
  const entry = await signedArtifact({ kind: 'oci', format: 'simplesigning' });
  const ours = {
    ...entry,
    payload: { ...entry.payload, bytes: message },
    signature: { ...entry.signature, key: { publicKey, keyId: '' } },
  };
  assert.equal(await includesSignatureOf(ours, [signature]), true);
});
