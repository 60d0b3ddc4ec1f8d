import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { readKeys } from '../../src/verify/public-key.ts';
import { verifyRun } from '../../src/verify/run.ts';
import { taskRun } from '../runs.ts';
import { folderFor, say } from './signed.ts';
import { tool } from './tools.ts';

const long = { timeout: 120_000 };
const status = { conditions: [{ type: 'Succeeded', status: 'True' }], note: 'signed by others' };
const payload = Buffer.from(JSON.stringify(status));

/** Why a run with this signature of its status isn't verified with a key; undefined where it is. */
async function whyNot(signature: string | Uint8Array, key: string): Promise<string | undefined> {
  const annotations = {
    'chains.tekton.dev/payload-taskrun': payload.toString('base64'),
    'chains.tekton.dev/signature-taskrun': Buffer.from(signature).toString('base64'),
    'chains.tekton.dev/signed-uid': 'uid-1',
  };
  const options = { keys: await readKeys([key]), expected: {} };
  const { verified, checks } = await verifyRun(taskRun(status, { annotations }), options);
  return verified ? undefined : checks.find(({ ok }) => !ok)?.reason;
}

/** gpg with a keyring of its own, in which there is the payload. */
async function keyring(context: TestContext) {
  const home = join(await folderFor(context), 'gnupg');
  await mkdir(home, { mode: 0o700 });
  await writeFile(join(home, 'payload'), payload);
  const base = ['--homedir', home, '--batch', '--yes', '--no-tty', '--pinentry-mode', 'loopback'];
  const gpg = (...parameters: string[]) =>
    say(tool('gpg'), [...base, '--passphrase', '', ...parameters], { cwd: home });
  const file = (name: string) => readFile(join(home, name), 'utf8');
  return {
    ...{ home, gpg, file },
    async sign(...how: string[]): Promise<string> {
      await gpg(...how, '--armor', '--output', 'signature', '--detach-sign', 'payload');
      return file('signature');
    },
    async publicKey(): Promise<string> {
      await gpg('--armor', '--output', 'public', '--export');
      return file('public');
    },
  };
}

const user = 'Builds <builds@example.com>';

for (const algorithm of ['rsa3072', 'ed25519', 'nistp384']) {
  test(
    `what an ${algorithm} key of the real gpg signed verifies, and not once it is revoked`,
    long,
    async (context) => {
      const { gpg, sign, publicKey, file, home } = await keyring(context);
      await gpg('--quick-generate-key', user, algorithm, 'sign', '1y');
      const signature = await sign();
      assert.equal(await whyNot(signature, await publicKey()), undefined);
      const [, fingerprint = ''] = /^fpr:+([0-9A-F]+):/m.exec(await gpg('--with-colons', '-k')) ?? [];
      // gpg keeps it unusable by a colon in front of the armor.
      const certificate = await file(`openpgp-revocs.d/${fingerprint}.rev`);
      await writeFile(join(home, 'revocation'), certificate.replace(/^:(?=-----)/m, ''));
      await gpg('--import', 'revocation');
      assert.match((await whyNot(signature, await publicKey())) ?? '', /is revoked/);
    },
  );
}

const longAgo = ['--faked-system-time', '20200101T000000!'];

test('what a key of the real gpg signed that has expired since does not verify', long, async (context) => {
  const { gpg, sign, publicKey } = await keyring(context);
  await gpg(...longAgo, '--quick-generate-key', user, 'ed25519', 'sign', '1y');
  assert.match((await whyNot(await sign(...longAgo), await publicKey())) ?? '', /expired on 2020-12-31/);
});

test('what a subkey of the real gpg signed that has expired since does not verify', long, async (context) => {
  const { gpg, sign, publicKey } = await keyring(context);
  await gpg(...longAgo, '--quick-generate-key', user, 'ed25519', 'cert', 'never');
  const [, fingerprint = ''] = /^fpr:+([0-9A-F]+):/m.exec(await gpg('--with-colons', '-k')) ?? [];
  await gpg(...longAgo, '--quick-add-key', fingerprint, 'ed25519', 'sign', '1y');
  const reason = await whyNot(await sign(...longAgo), await publicKey());
  assert.match(reason ?? '', /signed it with a key that is no longer valid/);
});

/** What each version of cosign needs to leave the signature in a file, without a transparency log. */
const writing = {
  'cosign 2': ['--tlog-upload=false'],
  'cosign 3': ['--tlog-upload=false', '--use-signing-config=false', '--new-bundle-format=false'],
};

for (const version of ['cosign 2', 'cosign 3'] as const) {
  test(
    `what the real ${version} signed as a blob verifies, and under no other key`,
    long,
    async (context) => {
      const folder = await folderFor(context);
      await writeFile(join(folder, 'payload'), payload);
      const env = { HOME: folder, COSIGN_PASSWORD: 'x' };
      const cosign = (...parameters: string[]) => say(tool(version), parameters, { cwd: folder, env });
      await cosign('generate-key-pair');
      await cosign('generate-key-pair', '--output-key-prefix', 'other');
      const how = ['--key', 'cosign.key', '--yes', ...writing[version]];
      await cosign('sign-blob', ...how, '--output-signature', 'signature', 'payload');
      const signature = Buffer.from(await readFile(join(folder, 'signature'), 'utf8'), 'base64');
      const [key, other] = ['cosign.pub', 'other.pub'].map((name) => readFile(join(folder, name), 'utf8'));
      assert.equal(await whyNot(signature, (await key) ?? ''), undefined);
      assert.match((await whyNot(signature, (await other) ?? '')) ?? '', /did not make this signature/);
    },
  );
}
