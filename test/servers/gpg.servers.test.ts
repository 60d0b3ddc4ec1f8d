import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { keygen } from '../../src/cli/commands/keygen.ts';
import { parseConfig } from '../../src/config/parse.ts';
import { signers } from '../../src/sign/index.ts';
import { readSecrets } from '../../src/sign/secrets.ts';
import { folderFor, say, signEachFormat, writeSigned } from './signed.ts';
import { tool } from './tools.ts';

const passphrase = 'correct horse';
const long = { timeout: 120_000 };

/** A keyring of its own, with an agent of its own that ends with it. */
async function keyring(
  context: TestContext,
  secret = '',
): Promise<(...parameters: string[]) => Promise<string>> {
  const home = join(await folderFor(context), 'gnupg');
  await mkdir(home, { mode: 0o700 });
  const base = ['--homedir', home, '--batch', '--yes', '--no-tty', '--pinentry-mode', 'loopback'];
  const file = join(home, 'passphrase');
  await writeFile(file, secret, { mode: 0o600 });
  // The agent of a keyring that is gone ends by itself.
  return (...parameters) => say(tool('gpg'), [...base, '--passphrase-file', file, ...parameters]);
}

type Gpg = Awaited<ReturnType<typeof keyring>>;

async function fingerprints(gpg: Gpg): Promise<readonly string[]> {
  const listed = await gpg('--with-colons', '--list-keys');
  return Array.from(listed.matchAll(/^fpr:+([0-9A-F]{40}):/gm), ([, fingerprint = '']) => fingerprint);
}

/** Exports the private key into a folder of signing secrets. */
async function exportTo(
  context: TestContext,
  gpg: Gpg,
  secret = '',
  how = '--export-secret-keys',
): Promise<string> {
  const folder = await folderFor(context);
  await gpg('--armor', '--output', join(folder, 'pgp.private-key'), how);
  if (secret !== '') await writeFile(join(folder, 'pgp.passphrase'), `${secret}\n`);
  return folder;
}

async function open(folder: string) {
  return (await signers.pgp())(parseConfig({}).config, await readSecrets(folder));
}

/** Another keyring, which knows only the public key that comes with signatures, verifies a payload of each format. */
async function assertGood(context: TestContext, folder: string, signingKey: string): Promise<void> {
  const verifier = await keyring(context);
  const { key } = await (await open(folder)).sign(Buffer.from('x'));
  await writeFile(join(folder, 'public'), key.publicKey);
  await verifier('--import', join(folder, 'public'));
  // As the SSH tools show it, computed from what gpg says the key is for SSH.
  const [, wire = ''] = (await verifier('--export-ssh-key', `${signingKey}!`)).split(' ');
  const digest = createHash('sha256').update(Buffer.from(wire, 'base64')).digest('base64');
  assert.equal(key.keyId, `SHA256:${digest.replace(/=$/, '')}`);
  const signed = await signEachFormat(folder, 'pgp');
  assert.equal(signed.length, 15);
  for (const one of signed) {
    const [payload, signature] = await writeSigned(folder, one);
    const said = await verifier('--status-fd', '1', '--verify', signature, payload);
    assert.match(said, /Good signature from "Builds <builds@example.com>"/);
    assert.match(said, new RegExp(`VALIDSIG ${signingKey} `));
    await writeFile(payload, Buffer.concat([one.message, Buffer.from(' ')]));
    await assert.rejects(verifier('--verify', signature, payload), /BAD signature/);
  }
}

for (const algorithm of ['rsa3072', 'ed25519', 'nistp256', 'nistp384', 'nistp521']) {
  for (const secret of ['', passphrase]) {
    const how = secret === '' ? 'without' : 'with';
    test(
      `what an ${algorithm} key of gpg ${how} a passphrase signs is good to gpg`,
      long,
      async (context) => {
        const gpg = await keyring(context, secret);
        await gpg('--quick-generate-key', 'Builds <builds@example.com>', algorithm, 'sign', '1y');
        const [fingerprint = ''] = await fingerprints(gpg);
        await assertGood(context, await exportTo(context, gpg, secret), fingerprint);
      },
    );
  }
}

/** A key that certifies, one that encrypts, and two that sign, the newer one last. */
async function keyWithSubkeys(context: TestContext, secret: string): Promise<{ gpg: Gpg; subkey: string }> {
  const gpg = await keyring(context, secret);
  const at = ['--faked-system-time', '20260101T000000!'];
  await gpg(...at, '--quick-generate-key', 'Builds <builds@example.com>', 'ed25519', 'cert', 'never');
  const [primary = ''] = await fingerprints(gpg);
  await gpg(...at, '--quick-add-key', primary, 'rsa2048', 'sign', 'never');
  await gpg('--quick-add-key', primary, 'ed25519', 'sign', '1y');
  await gpg('--quick-add-key', primary, 'cv25519', 'encr', '1y');
  return { gpg, subkey: (await fingerprints(gpg))[2] ?? '' };
}

test('the newest signing subkey of a gpg key signs', long, async (context) => {
  const { gpg, subkey } = await keyWithSubkeys(context, passphrase);
  await assertGood(context, await exportTo(context, gpg, passphrase), subkey);
});

test('a gpg key signs with its subkey when the primary key is kept elsewhere', long, async (context) => {
  const { gpg, subkey } = await keyWithSubkeys(context, passphrase);
  await assertGood(context, await exportTo(context, gpg, passphrase, '--export-secret-subkeys'), subkey);
});

test('a revoked signing subkey of gpg gives way to the one before', long, async (context) => {
  const { gpg } = await keyWithSubkeys(context, '');
  const [primary = '', older = ''] = await fingerprints(gpg);
  const commands = join(await folderFor(context), 'commands');
  await writeFile(commands, 'key 2\nrevkey\ny\n0\n\ny\nsave\n');
  await gpg('--command-file', commands, '--no-batch', '--edit-key', primary);
  await assertGood(context, await exportTo(context, gpg), older);
});

test(
  'a gpg key that has expired, was revoked, certifies only or is on another curve is refused with the reason',
  long,
  async (context) => {
    const old = await keyring(context);
    const then = ['--faked-system-time', '20200101T000000!'];
    await old(...then, '--quick-generate-key', 'Old', 'ed25519', 'sign', '1d');
    await assert.rejects(open(await exportTo(context, old)), {
      code: 'KEY_INVALID',
      message: /expired on 2020-01-02T/,
    });

    const revoked = await keyring(context);
    const said = await revoked('--quick-generate-key', 'Revoked', 'rsa3072', 'sign', '1y');
    const certificate = /'(\S+\.rev)'/.exec(said)?.[1] ?? assert.fail(said);
    // gpg guards it against accidents with a colon.
    await writeFile(certificate, (await readFile(certificate, 'utf8')).replace(':-----', '-----'));
    await revoked('--import', certificate);
    await assert.rejects(open(await exportTo(context, revoked)), {
      code: 'KEY_INVALID',
      message: /is revoked; sign with another key$/,
    });

    const certifies = await keyring(context);
    await certifies('--quick-generate-key', 'Certifies', 'ed25519', 'cert', '1y');
    await assert.rejects(open(await exportTo(context, certifies)), {
      message: /no part that may sign: \S+ is not for signing/,
    });

    const brainpool = await keyring(context);
    await brainpool('--quick-generate-key', 'Brainpool', 'brainpoolP256r1', 'sign', '1y');
    await assert.rejects(open(await exportTo(context, brainpool)), {
      code: 'KEY_INVALID',
      message: /of the kind ecdsa brainpoolP256r1/,
    });
  },
);

test(
  'gpg takes the key that `chains keygen --type pgp` makes, and what it signs is good',
  long,
  async (context) => {
    const folder = await folderFor(context);
    const streams = { stdout: { write: () => true }, stderr: { write: () => true } };
    await keygen({ type: 'pgp', out: join(folder, 'key'), name: 'Builds <builds@example.com>' }, streams);
    const key = join(folder, 'key');
    const secret = await readFile(join(key, 'pgp.passphrase'), 'utf8');
    const gpg = await keyring(context, secret);
    await gpg('--import', join(key, 'pgp.private-key'));
    const message = join(folder, 'message');
    await writeFile(message, 'x');
    await gpg('--detach-sign', message);
    assert.match(await gpg('--verify', `${message}.sig`, message), /Good signature/);
    await assertGood(context, key, (await fingerprints(gpg))[0] ?? '');
  },
);
