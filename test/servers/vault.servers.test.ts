import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Signature } from '../../src/model/signature.ts';
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
