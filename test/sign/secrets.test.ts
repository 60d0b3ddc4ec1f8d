import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { followSecrets, readSecrets, type Secrets, secretFile } from '../../src/sign/secrets.ts';

async function folderFor(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'chains-secrets-'));
  context.after(() => rm(folder, { recursive: true }));
  return folder;
}

const textsOf = (secrets: Secrets) =>
  Object.fromEntries([...secrets.files].map(([name, bytes]) => [name, Buffer.from(bytes).toString()]));

/** Writes a version of the files as kubelet does: a new folder, then `..data` is swapped in one step. */
async function mountVersion(folder: string, version: number, files: Readonly<Record<string, string>>) {
  const name = `..version_${version}`;
  await mkdir(join(folder, name));
  for (const [file, text] of Object.entries(files)) {
    await writeFile(join(folder, name, file), text);
    await symlink(join('..data', file), join(folder, file)).catch(() => undefined);
  }
  await symlink(name, join(folder, '..data_tmp'));
  await rename(join(folder, '..data_tmp'), join(folder, '..data'));
  if (version > 1) await rm(join(folder, `..version_${version - 1}`), { recursive: true });
}

test('regular files are read, and only those that signers know', async (context) => {
  const folder = await folderFor(context);
  await writeFile(join(folder, 'x509.pem'), 'key');
  await writeFile(join(folder, 'unrelated.iso'), 'x');
  const secrets = await readSecrets(folder);
  assert.equal(secrets.folder, folder);
  assert.deepEqual(textsOf(secrets), { 'x509.pem': 'key' });
});

test('a missing folder, or a file in its place, is an empty set with the reason', async (context) => {
  const folder = await folderFor(context);
  await writeFile(join(folder, 'file'), '');
  const missing = await readSecrets(join(folder, 'none'));
  assert.deepEqual([missing.files.size, missing.missing], [0, 'does not exist']);
  assert.equal((await readSecrets(join(folder, 'file'))).missing, 'is not a folder');
});

test('a file that is too large, a folder or a pipe is unreadable with the reason, and the others are read', async (context) => {
  const folder = await folderFor(context);
  await writeFile(join(folder, 'x509.pem'), Buffer.alloc(64 * 1024 + 1));
  await mkdir(join(folder, 'cosign.key'));
  execFileSync('mkfifo', [join(folder, 'pgp.private-key')]);
  await symlink('pgp.passphrase', join(folder, 'pgp.passphrase'));
  await writeFile(join(folder, 'cosign.password'), 'x');
  const secrets = await readSecrets(folder);
  assert.deepEqual(textsOf(secrets), { 'cosign.password': 'x' });
  for (const [name, reason] of [
    ['x509.pem', /x509\.pem is larger than 65536 bytes/],
    ['cosign.key', /cosign\.key is not a regular file/],
    ['pgp.private-key', /pgp\.private-key is not a regular file/],
    ['pgp.passphrase', /pgp\.passphrase is a symbolic link that leads back/],
  ] as const) {
    assert.throws(() => secretFile(secrets, name), { code: 'KEY_INVALID', message: reason });
  }
});

test('while kubelet swaps versions, a reading never mixes two of them', async (context) => {
  const folder = await folderFor(context);
  const versionOf = (version: number) => ({
    'cosign.key': `key ${version}`,
    'cosign.password': `password ${version}`,
  });
  await mountVersion(folder, 1, versionOf(1));
  let swapping = true;
  const swaps = (async () => {
    for (let version = 2; version <= 60; version++) await mountVersion(folder, version, versionOf(version));
    swapping = false;
  })();
  let readings = 0;
  while (swapping) {
    const texts = textsOf(await readSecrets(folder));
    const version = Number(texts['cosign.key']?.slice(4));
    assert.deepEqual(texts, versionOf(version));
    readings++;
  }
  await swaps;
  assert.ok(readings > 0);
  assert.deepEqual(textsOf(await readSecrets(folder)), versionOf(60));
});

test('a file of the new version is read before kubelet has linked it', async (context) => {
  const folder = await folderFor(context);
  await mountVersion(folder, 1, { 'x509.pem': 'key' });
  await unlink(join(folder, 'x509.pem'));
  assert.deepEqual(textsOf(await readSecrets(folder)), { 'x509.pem': 'key' });
});

test("following reports the first reading, each change, each file that goes or can't be read any more, and nothing else", async (context) => {
  const folder = await folderFor(context);
  const file = join(folder, 'x509.pem');
  const seen: Record<string, string>[] = [];
  const stop = new AbortController();
  let changed = Promise.withResolvers<void>();
  const following = followSecrets(
    folder,
    (secrets) => {
      seen.push(textsOf(secrets));
      changed.resolve();
    },
    stop.signal,
    { every: 5 },
  );
  const nextAfter = async (change: () => Promise<void>) => {
    await changed.promise;
    changed = Promise.withResolvers();
    await change();
    await changed.promise;
  };
  await nextAfter(async () => {
    await writeFile(`${file}.new`, 'one');
    await rename(`${file}.new`, file);
  });
  await nextAfter(() => unlink(file));
  await nextAfter(() => mkdir(file));
  stop.abort();
  await following;
  assert.deepEqual(seen, [{}, { 'x509.pem': 'one' }, {}, {}]);
});

for (const [what, folderMode, fileMode, says] of [
  ['a key for its owner alone', 0o755, 0o600, undefined],
  ['a key for owner and group', 0o755, 0o640, undefined],
  ['a key that all may read, behind a folder that none may enter', 0o700, 0o644, undefined],
  [
    'a key that all may read',
    0o755,
    0o644,
    /^every user of this machine can read (\S+)\/x509\.pem \(mode 0644\): chmod 600 \1\/x509\.pem$/,
  ],
  ['a key that all may change', 0o711, 0o622, /can change \S+\/x509\.pem \(mode 0622\): chmod 600/],
  ['a folder that all may write', 0o703, 0o600, /can put keys into (\S+) \(mode 0703\): chmod 700 \1$/],
] as const) {
  test(`${says === undefined ? 'no warning' : 'a warning'} for ${what}`, async (context) => {
    const folder = await folderFor(context);
    await writeFile(join(folder, 'x509.pem'), 'key');
    await chmod(join(folder, 'x509.pem'), fileMode);
    await chmod(folder, folderMode);
    const { warnings = [] } = await readSecrets(folder);
    assert.equal(warnings.length, says === undefined ? 0 : 1);
    if (says !== undefined) assert.match(warnings[0] ?? '', says);
  });
}

test('what kubelet mounts is open to all in the container, and is no reason to warn', async (context) => {
  const folder = await folderFor(context);
  await mountVersion(folder, 1, { 'x509.pem': 'key' });
  await chmod(folder, 0o1777);
  await chmod(join(folder, '..version_1', 'x509.pem'), 0o644);
  assert.deepEqual((await readSecrets(folder)).warnings, []);
});

test('permissions that change are reported', async (context) => {
  const folder = await folderFor(context);
  const file = join(folder, 'x509.pem');
  await writeFile(file, 'key', { mode: 0o600 });
  await chmod(folder, 0o755);
  const known = await readSecrets(folder);
  const stop = new AbortController();
  const told = Promise.withResolvers<Secrets>();
  const following = followSecrets(folder, told.resolve, stop.signal, { known, every: 5 });
  await chmod(file, 0o604);
  assert.equal((await told.promise).warnings?.length, 1);
  assert.deepEqual(textsOf(await told.promise), { 'x509.pem': 'key' });
  stop.abort();
  await following;
});

test('what is already known is not reported again', async (context) => {
  const folder = await folderFor(context);
  const known = await readSecrets(folder);
  const stop = new AbortController();
  const told = Promise.withResolvers<Secrets>();
  const following = followSecrets(folder, told.resolve, stop.signal, { known, every: 5 });
  await writeFile(join(folder, 'x509.pem.new'), 'one');
  await rename(join(folder, 'x509.pem.new'), join(folder, 'x509.pem'));
  assert.deepEqual(textsOf(await told.promise), { 'x509.pem': 'one' });
  stop.abort();
  await following;
});
