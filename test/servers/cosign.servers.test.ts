import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { keygen } from '../../src/cli/commands/keygen.ts';
import { keyPairs, pkcs8 } from '../sign/keys.ts';
import { blob, folderFor, say, signEachFormat, writeSigned } from './signed.ts';
import { tool } from './tools.ts';

const versions = ['cosign 2', 'cosign 3'] as const;
const password = 'correct horse';
const ignore = '--insecure-ignore-tlog';

/** cosign 2.5 refuses to import ECDSA and RSA keys ("unsupported public key type"). */
function importable(version: (typeof versions)[number]) {
  return Object.entries(keyPairs).filter(([kind]) => version === 'cosign 3' || kind === 'Ed25519');
}

/** What a version of cosign needs to write a signature without a transparency log, and to read it. */
const output = {
  'cosign 2': { write: ['--output-signature', 'out'], read: ['--signature', 'out'] },
  'cosign 3': { write: ['--use-signing-config=false', '--bundle', 'out'], read: ['--bundle', 'out'] },
} as const;

/** cosign in a folder that is its home too, so that it reads and leaves nothing elsewhere. */
function cosign(version: (typeof versions)[number], folder: string, secret = password) {
  const env = { HOME: folder, COSIGN_PASSWORD: secret };
  return (...parameters: string[]) => say(tool(version), parameters, { cwd: folder, env });
}

/** Each version of cosign verifies a payload of each format that the key in the folder signed, and not another one. */
async function assertVerified(folder: string, publicKey: string): Promise<void> {
  await writeFile(join(folder, 'blob'), blob);
  for (const signed of await signEachFormat(folder, 'x509')) {
    const [payload, signature] = await writeSigned(folder, signed);
    await writeFile(`${signature}.base64`, Buffer.from(signed.signature).toString('base64'));
    for (const version of versions) {
      const run = cosign(version, folder);
      const blobCommand = ['verify-blob', '--key', publicKey, ignore, '--signature', `${signature}.base64`];
      assert.match(await run(...blobCommand, payload), /Verified OK/);
      await assert.rejects(run(...blobCommand, join(folder, 'blob')), /signature|verif/);
      if (signed.attestation === undefined) continue;
      const { envelope, predicateType } = signed.attestation;
      await writeFile(join(folder, 'envelope'), envelope);
      const about = ['verify-blob-attestation', '--key', publicKey, ignore, '--type', predicateType];
      assert.match(await run(...about, '--signature', 'envelope', 'blob'), /Verified OK/);
      await assert.rejects(run(...about, '--signature', 'envelope', payload), /digest|subject/);
    }
  }
}

for (const version of versions) {
  test(`a key of ${version} signs, and cosign 2 and 3 verify`, { timeout: 120_000 }, async (context) => {
    const folder = await folderFor(context);
    await cosign(version, folder)('generate-key-pair');
    await writeFile(join(folder, 'cosign.password'), `${password}\n`);
    await assertVerified(folder, 'cosign.pub');
  });

  for (const [kind, generate] of importable(version)) {
    test(`a key (${kind}) that ${version} imported signs, and cosign 2 and 3 verify`, {
      timeout: 120_000,
    }, async (context) => {
      const folder = await folderFor(context);
      await writeFile(join(folder, 'key.pem'), pkcs8(generate().privateKey));
      await cosign(version, folder)('import-key-pair', '--key', 'key.pem', '--output-key-prefix', 'cosign');
      await writeFile(join(folder, 'cosign.password'), password);
      await assertVerified(folder, 'cosign.pub');
    });
  }

  test(`${version} reads the key that \`chains keygen --type cosign\` makes, and signs with it`, {
    timeout: 120_000,
  }, async (context) => {
    const folder = await made(context);
    const run = cosign(version, folder, await readFile(join(folder, 'cosign.password'), 'utf8'));
    const publicKey = await readFile(join(folder, 'cosign.pub'), 'utf8');
    assert.equal(await run('public-key', '--key', 'cosign.key'), publicKey);
    await writeFile(join(folder, 'blob'), blob);
    const { write, read } = output[version];
    const signing = ['sign-blob', '--key', 'cosign.key', '--tlog-upload=false', '--yes'];
    await run(...signing, ...write, 'blob');
    const said = await run('verify-blob', '--key', 'cosign.pub', ignore, ...read, 'blob');
    assert.match(said, /Verified OK/);
    await assert.rejects(cosign(version, folder, 'wrong')('public-key', '--key', 'cosign.key'));
    await assertVerified(folder, 'cosign.pub');
  });
}

test('what a key in x509.pem signs is verified by cosign 2 and 3', { timeout: 120_000 }, async (context) => {
  const folder = await folderFor(context);
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await writeFile(join(folder, 'x509.pem'), pkcs8(privateKey));
  await writeFile(join(folder, 'x509.pub'), publicKey.export({ format: 'pem', type: 'spki' }));
  await assertVerified(folder, 'x509.pub');
});

async function made(context: TestContext): Promise<string> {
  const folder = await folderFor(context);
  const streams = { stdout: { write: () => true }, stderr: { write: () => true } };
  await keygen({ type: 'cosign', out: folder }, streams, {});
  return folder;
}
