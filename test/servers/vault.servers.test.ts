import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { inTotoType, preAuthEncoding } from '../../src/model/dsse.ts';
import type { Payload, Signature } from '../../src/model/signature.ts';
import { signPayload } from '../../src/sign/index.ts';
import { kmsSuite, type SigningKind } from '../sign/kms/kms.suite.ts';
import { transitKinds, vaultAsKms, vaultSuite } from '../sign/kms/vault.suite.ts';
import { outputOf, temporaryFolder } from './process.ts';
import { tool } from './tools.ts';
import { startRealVault } from './vault.ts';

for (const scheme of ['hashivault', 'openbao'] as const) {
  kmsSuite({
    name: `${scheme} with a real Vault`,
    kinds: transitKinds,
    refused: [],
    judge: opensslVerifies,
    start: async () => vaultAsKms(scheme, await startRealVault()),
  });
}

vaultSuite('a real Vault', startRealVault);

describe('payloads of every format with a key in a real Vault', () => {
  const formats: readonly Payload[] = [
    { format: 'tekton', bytes: Buffer.from('{"steps":[]}') },
    { format: 'simplesigning', bytes: Buffer.from('{"critical":{}}') },
    { format: 'in-toto', bytes: Buffer.from('{"_type":"…"}'), dsseType: inTotoType },
  ];
  for (const payload of formats) {
    it(`are signed so that openssl verifies them: ${payload.format}`, async (test) => {
      const kms = await vaultAsKms('hashivault', await startRealVault());
      test.after(() => kms.close());
      for (const how of transitKinds) {
        const signer = await kms.open(await kms.create(how.kind, how.pss));
        const signature = await signPayload(signer, payload);
        await signer.close?.();
        if (payload.dsseType === undefined) {
          await opensslVerifies(payload.bytes, signature, how);
          continue;
        }
        const [{ sig }] = JSON.parse(Buffer.from(signature.bytes).toString('utf8')).signatures;
        const encoded = preAuthEncoding(payload.dsseType, payload.bytes);
        await opensslVerifies(encoded, { ...signature, bytes: Buffer.from(sig, 'base64') }, how);
      }
    });
  }
});

/** Judges a signature by openssl. */
async function opensslVerifies(
  message: Uint8Array,
  { bytes, key }: Signature,
  how: SigningKind,
): Promise<void> {
  const folder = await temporaryFolder('chains-openssl');
  const [signature, payload, publicKey] = ['signature', 'payload', 'key.pub'].map((name) =>
    join(folder.path, name),
  );
  await Promise.all([
    writeFile(`${signature}`, bytes),
    writeFile(`${payload}`, message),
    writeFile(`${publicKey}`, key.publicKey),
  ]);
  const common = [
    '-sigfile',
    `${signature}`,
    '-in',
    `${payload}`,
    '-pubin',
    '-inkey',
    `${publicKey}`,
    '-rawin',
  ];
  const digest = how.digest === null ? [] : ['-digest', how.digest];
  const padding = how.pss ? ['-pkeyopt', 'rsa_padding_mode:pss'] : [];
  const output = await outputOf(tool('openssl'), ['pkeyutl', '-verify', ...common, ...digest, ...padding]);
  assert.match(output, /Signature Verified Successfully/);
  await folder.remove();
}
