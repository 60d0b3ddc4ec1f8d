import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import * as openpgp from 'openpgp';
import { parseConfig } from '../../src/config/parse.ts';
import { parseRun, type Run } from '../../src/model/run.ts';
import { openPipeline } from '../../src/pipeline.ts';
import { readKeys } from '../../src/verify/public-key.ts';
import { verifyRun } from '../../src/verify/run.ts';
import { taskRun } from '../runs.ts';
import { secretsWith } from '../sign/keys.ts';
import { assertSigned } from '../store/oci/world.ts';

const day = 86_400;
const ecc = { type: 'ecc', curve: 'ed25519Legacy' } as const;

/** A key that signs with a subkey, both valid for as long as is said, in seconds; 0 is for ever. */
async function newKey({ primary = 0, subkey = 0 } = {}) {
  const subkeys = [{ sign: true, keyExpirationTime: subkey }];
  const userIDs = [{ name: 'Builds' }];
  return openpgp.generateKey({ ...ecc, userIDs, keyExpirationTime: primary, subkeys, format: 'object' });
}

/** A run that this key signed. */
async function signedWith(privateKey: openpgp.PrivateKey): Promise<Run> {
  const { config } = parseConfig({ 'artifacts.taskrun.signer': 'pgp' });
  const secrets = secretsWith({ 'pgp.private-key': privateKey.armor() });
  const run = taskRun({ conditions: [{ type: 'Succeeded', status: 'True' }] });
  const pipeline = openPipeline({ config, secrets });
  const outcome = await pipeline.process(run);
  await pipeline.close();
  assertSigned(outcome);
  const annotations = { ...outcome.annotations, 'chains.tekton.dev/signed-uid': run.uid };
  return parseRun({ ...run.object, metadata: { ...Object(run.object['metadata']), annotations } });
}

/** Why the run isn't verified with a key; undefined where it is. */
async function whyNot(run: Run, publicKey: openpgp.Key): Promise<string | undefined> {
  const keys = await readKeys([publicKey.toPublic().armor()]);
  const { verified, checks } = await verifyRun(run, { keys, expected: {} });
  return verified ? undefined : checks.find(({ ok }) => !ok)?.reason;
}

function twoDaysLater(context: TestContext): void {
  context.mock.timers.enable({ apis: ['Date'], now: Date.now() + 2 * day * 1000 });
}

for (const [name, lifetime, reason] of [
  ['key', { primary: day }, /expired on/],
  ['subkey', { subkey: day }, /signed it with a key that is no longer valid \(.*expired/i],
] as const) {
  test(`what a PGP ${name} signed before it expired verifies until then, and not afterwards`, async (context) => {
    const { privateKey, publicKey } = await newKey(lifetime);
    const run = await signedWith(privateKey);
    assert.equal(await whyNot(run, publicKey), undefined);
    twoDaysLater(context);
    assert.match((await whyNot(run, publicKey)) ?? '', reason);
  });
}

test('what a PGP key signed before it was revoked does not verify', async () => {
  const { privateKey } = await newKey();
  const run = await signedWith(privateKey);
  const { publicKey } = await openpgp.revokeKey({ key: privateKey, format: 'object' });
  assert.match((await whyNot(run, publicKey)) ?? '', /is revoked/);
});

test('what a PGP subkey signed before it was revoked does not verify', async () => {
  const { privateKey } = await newKey();
  const run = await signedWith(privateKey);
  const [subkey] = privateKey.subkeys;
  assert.ok(subkey !== undefined && privateKey.keyPacket instanceof openpgp.SecretKeyPacket);
  const revoked = await subkey.revoke(
    privateKey.keyPacket,
    { flag: openpgp.enums.reasonForRevocation.keyCompromised },
    new Date(),
    openpgp.config,
  );
  privateKey.subkeys = [revoked];
  assert.match((await whyNot(run, privateKey)) ?? '', /Subkey is revoked/);
});

test('a PGP key whose user id was changed proves nothing', async () => {
  const { privateKey, publicKey } = await newKey();
  const run = await signedWith(privateKey);
  const binary = publicKey.toPublic().write();
  const at = Buffer.from(binary).indexOf('Builds');
  const changed = Uint8Array.from(binary, (byte, index) => (index === at ? byte ^ 1 : byte));
  const key = await openpgp.readKey({ binaryKey: changed });
  assert.match((await whyNot(run, key)) ?? '', /has no user ID that the key itself certifies/);
});
