import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { keyPairs, pkcs8, spki } from '../sign/keys.ts';
import { folderFor, say, signEachFormat, writeSigned } from './signed.ts';
import { tool } from './tools.ts';

for (const [kind, generate] of Object.entries(keyPairs)) {
  test(`openssl verifies what a key in x509.pem signs, in each format: ${kind}`, async (context) => {
    const folder = await folderFor(context);
    const { publicKey, privateKey } = generate();
    const key = join(folder, 'x509.pub');
    await writeFile(join(folder, 'x509.pem'), pkcs8(privateKey));
    await writeFile(key, spki(publicKey));
    for (const signed of await signEachFormat(folder, 'x509')) {
      const [payload, signature] = await writeSigned(folder, signed);
      const parameters =
        kind === 'Ed25519'
          ? ['pkeyutl', '-verify', '-pubin', '-inkey', key, '-rawin', '-in', payload, '-sigfile', signature]
          : ['dgst', '-sha256', '-verify', key, '-signature', signature, payload];
      assert.match(
        await say(tool('openssl'), parameters),
        /Verified (OK|Success)|Signature Verified Successfully/,
      );
      await writeFile(payload, Buffer.concat([signed.message, Buffer.from(' ')]));
      await assert.rejects(say(tool('openssl'), parameters), /Verif/);
    }
  });
}
