import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { readKey } from 'openpgp';
import { parse } from 'yaml';
import { keygen, type KeygenOptions } from '../../src/cli/commands/keygen.ts';
import { parseConfig } from '../../src/config/parse.ts';
import { openConnection } from '../../src/kubernetes/connection.ts';
import { Rest } from '../../src/kubernetes/rest.ts';
import { at } from '../../src/json.ts';
import { startSandbox } from '../../sandbox/index.ts';
import { signers } from '../../src/sign/index.ts';
import { readSecrets } from '../../src/sign/secrets.ts';
import { secretsWith, spki } from '../sign/keys.ts';

const { config } = parseConfig({});

async function folderFor(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'chains-keygen-'));
  context.after(() => rm(folder, { recursive: true }));
  return folder;
}

async function run(
  options: KeygenOptions,
  environment: NodeJS.ProcessEnv = {},
): Promise<{ out: string; err: string }> {
  const written = { out: '', err: '' };
  const streams = {
    stdout: { write: (text: string) => (written.out += text) },
    stderr: { write: (text: string) => (written.err += text) },
  };
  await keygen(options, streams, environment);
  return written;
}

/** What a shell, or a reader, makes of lines that go on indented. */
const joined = (text: string): string => text.replace(/( \\)?\n +/g, ' ');

async function modesOf(folder: string): Promise<Record<string, number>> {
  const modes: Record<string, number> = {};
  for (const name of await readdir(folder)) modes[name] = (await stat(join(folder, name))).mode & 0o777;
  return modes;
}

for (const [type, kind] of [
  ['ecdsa', 'prime256v1'],
  ['ed25519', 'ed25519'],
  ['rsa', 3072],
] as const) {
  test(`keygen --type ${type} writes a key pair that signs, for its owner alone`, async (context) => {
    const folder = join(await folderFor(context), 'made', 'for us');
    const { out, err } = await run({ type, out: folder });
    const privateKey = createPrivateKey(await readFile(join(folder, 'x509.pem')));
    const { namedCurve, modulusLength } = privateKey.asymmetricKeyDetails ?? {};
    assert.equal(namedCurve ?? modulusLength ?? privateKey.asymmetricKeyType, kind);
    const publicKey = await readFile(join(folder, 'x509.pub'), 'utf8');
    assert.equal(publicKey, spki(createPublicKey(privateKey)));
    assert.equal((await stat(join(folder, 'x509.pem'))).mode & 0o777, 0o600);
    assert.equal((await stat(folder)).mode & 0o777, 0o700);
    const signer = await (await signers.x509())(config, await readSecrets(folder));
    const { key } = await signer.sign(Buffer.from('x'));
    assert.ok(out.includes(key.keyId));
    assert.ok(
      joined(out).includes(
        `create secret generic signing-secrets -n tekton-chains --from-file='${folder}/x509.pem'`,
      ),
      out,
    );
    assert.equal(err, '');
    assert.ok(!out.includes('PRIVATE KEY'));
  });
}

test('keygen --type cosign writes what the signer x509 opens, with a password of its own', async (context) => {
  const folder = await folderFor(context);
  const { out } = await run({ type: 'cosign', out: folder });
  assert.deepEqual(await readdir(folder), ['cosign.key', 'cosign.password', 'cosign.pub']);
  assert.deepEqual(await modesOf(folder), {
    'cosign.key': 0o600,
    'cosign.password': 0o600,
    'cosign.pub': 0o644,
  });
  assert.match(
    await readFile(join(folder, 'cosign.key'), 'utf8'),
    /^-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n([\w+/=]{1,64}\n)+-----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n$/,
  );
  const password = await readFile(join(folder, 'cosign.password'), 'utf8');
  assert.match(password, /^[0-9a-f]{48}$/);
  const signer = await (await signers.x509())(config, await readSecrets(folder));
  const { key } = await signer.sign(Buffer.from('x'));
  assert.equal(key.publicKey, await readFile(join(folder, 'cosign.pub'), 'utf8'));
  assert.ok(out.includes(key.keyId) && !out.includes(password));
  assert.ok(
    joined(out).includes(`--from-file=${folder}/cosign.key --from-file=${folder}/cosign.password`),
    out,
  );
});

test('a cosign key gets the password in COSIGN_PASSWORD where that is set', async (context) => {
  const folder = await folderFor(context);
  await run({ type: 'cosign', out: folder }, { COSIGN_PASSWORD: 'from outside' });
  assert.equal(await readFile(join(folder, 'cosign.password'), 'utf8'), 'from outside');
  assert.ok(await (await signers.x509())(config, await readSecrets(folder)));
});

test('keygen --type pgp writes what the signer pgp opens, with a passphrase and the name that was given', async (context) => {
  const folder = await folderFor(context);
  const { out } = await run({ type: 'pgp', name: 'Builds <builds@example.com>', out: folder });
  assert.deepEqual(await modesOf(folder), {
    'pgp.passphrase': 0o600,
    'pgp.private-key': 0o600,
    'pgp.public-key': 0o644,
  });
  const signer = await (await signers.pgp())(config, await readSecrets(folder));
  const { key } = await signer.sign(Buffer.from('x'));
  const armoredKey = await readFile(join(folder, 'pgp.public-key'), 'utf8');
  assert.deepEqual((await readKey({ armoredKey })).getUserIDs(), ['Builds <builds@example.com>']);
  assert.equal(key.publicKey, armoredKey);
  assert.ok(out.includes(key.keyId), out);
  const passphrase = await readFile(join(folder, 'pgp.passphrase'), 'utf8');
  assert.match(passphrase, /^[0-9a-f]{48}$/);
  assert.ok(!out.includes(passphrase));
  const armored = await readFile(join(folder, 'pgp.private-key'), 'utf8');
  await assert.rejects((await signers.pgp())(config, secretsWith({ 'pgp.private-key': armored })), {
    message: /has a passphrase/,
  });
});

test('a PGP key is named Tekton Chains where nothing is said', async (context) => {
  const folder = await folderFor(context);
  await run({ type: 'pgp', out: folder });
  const armoredKey = await readFile(join(folder, 'pgp.public-key'), 'utf8');
  assert.deepEqual((await readKey({ armoredKey })).getUserIDs(), ['Tekton Chains']);
});

for (const [type, inTheWay] of [
  ['ecdsa', 'x509.pem'],
  ['ecdsa', 'x509.pub'],
  ['cosign', 'cosign.password'],
  ['pgp', 'pgp.public-key'],
] as const) {
  test(`keygen never overwrites, and leaves no half behind: ${inTheWay} is in the way`, async (context) => {
    const folder = await folderFor(context);
    await writeFile(join(folder, inTheWay), 'mine');
    await assert.rejects(run({ type, out: folder }), {
      code: 'USAGE',
      message: `${join(folder, inTheWay)} exists already, and keys are never overwritten; choose another folder with --out`,
    });
    assert.deepEqual(await readdir(folder), [inTheWay]);
    assert.equal(await readFile(join(folder, inTheWay), 'utf8'), 'mine');
  });
}

test('keygen --secret prints the Secret for kubectl apply, and how to see the public key', async () => {
  const { out, err } = await run({ type: 'ecdsa', secret: true });
  const { data, ...rest } = parse(out);
  assert.deepEqual(rest, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'signing-secrets', namespace: 'tekton-chains' },
    type: 'Opaque',
  });
  assert.deepEqual(Object.keys(data), ['x509.pem', 'x509.pub']);
  const pem = Buffer.from(data['x509.pem'], 'base64');
  const signer = await (await signers.x509())(config, secretsWith({ 'x509.pem': pem }));
  const { key } = await signer.sign(Buffer.from('x'));
  assert.equal(Buffer.from(data['x509.pub'], 'base64').toString(), key.publicKey);
  assert.match(err, /kubectl get secret signing-secrets -n tekton-chains/);
  assert.ok(err.includes(key.keyId));
});

for (const [type, names] of [
  ['cosign', ['cosign.key', 'cosign.pub', 'cosign.password']],
  ['pgp', ['pgp.private-key', 'pgp.public-key', 'pgp.passphrase']],
] as const) {
  test(`keygen --type ${type} --secret prints all that belongs to the key`, async () => {
    const { out, err } = await run({ type, secret: true, namespace: 'elsewhere' });
    const { data, metadata } = parse(out);
    assert.deepEqual(Object.keys(data), names);
    assert.equal(metadata.namespace, 'elsewhere');
    assert.ok(
      joined(err).includes(`-n elsewhere -o go-template='{{index .data "${names[1]}" | base64decode}}'`),
      err,
    );
  });
}

test('keygen --secret --apply creates the Secret, shows no private part, and refuses one that is there', async (context) => {
  const sandbox = await startSandbox({ namespaces: ['tekton-chains'] });
  const folder = await folderFor(context);
  context.after(() => sandbox.close());
  const kubeconfig = join(folder, 'kubeconfig');
  await writeFile(kubeconfig, sandbox.kubeconfig);
  const { out, err } = await run({ type: 'ed25519', secret: true, apply: true, kubeconfig });
  assert.match(
    joined(out),
    /^Secret signing-secrets created in the namespace tekton-chains with a new Ed25519 key SHA256:/,
  );
  const rest = new Rest(await openConnection({ kubeconfig }));
  context.after(() => rest.close());
  const where = { namespace: 'tekton-chains', name: 'signing-secrets' };
  const made = () => rest.get({ group: '', version: 'v1', plural: 'secrets' }, where);
  const pem = Buffer.from(String(at(await made(), 'data', 'x509.pem')), 'base64');
  const { key } = await (await (await signers.x509())(config, secretsWith({ 'x509.pem': pem }))).sign(
    Buffer.from('x'),
  );
  assert.ok(out.includes(key.keyId) && !out.includes('PRIVATE') && err === '');
  await assert.rejects(run({ type: 'rsa', secret: true, apply: true, kubeconfig }), {
    code: 'USAGE',
    message:
      /in the namespace tekton-chains holds something already.*delete it first: kubectl delete secret signing-secrets -n tekton-chains$/,
  });
  assert.deepEqual(Buffer.from(String(at(await made(), 'data', 'x509.pem')), 'base64'), pem);
});

test('keygen --secret --apply fills a Secret without data, as the one in deploy/ is', async (context) => {
  const sandbox = await startSandbox({ namespaces: ['tekton-chains'] });
  const folder = await folderFor(context);
  const kubeconfig = join(folder, 'kubeconfig');
  await writeFile(kubeconfig, sandbox.kubeconfig);
  const rest = new Rest(await openConnection({ kubeconfig }));
  context.after(async () => {
    await rest.close();
    await sandbox.close();
  });
  const secrets = { group: '', version: 'v1', plural: 'secrets' };
  const empty = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'signing-secrets' }, type: 'Opaque' };
  await rest.create(secrets, 'tekton-chains', empty);
  await run({ type: 'cosign', secret: true, apply: true, kubeconfig });
  const { data } = await rest.get(secrets, { namespace: 'tekton-chains', name: 'signing-secrets' });
  assert.deepEqual(Object.keys(data ?? {}).toSorted(), ['cosign.key', 'cosign.password', 'cosign.pub']);
});

test('keygen --apply needs a cluster that can be found', async () => {
  const kubeconfig = '/nowhere/kubeconfig';
  await assert.rejects(run({ type: 'ecdsa', secret: true, apply: true, kubeconfig }), {
    code: 'CONNECTION_INVALID',
  });
});

for (const [options, message] of [
  [{ type: 'dsa' }, /--type "dsa" is not a type of key; use ecdsa, ed25519, rsa, cosign, pgp/],
  [{ type: 'constructor' }, /"constructor" is not a type of key/],
  [{ type: 'ecdsa', apply: true }, /takes --apply only together with --secret/],
  [
    { type: 'ecdsa', secret: true, context: 'x' },
    /takes --kubeconfig and --context only together with --apply/,
  ],
  [{ type: 'ecdsa', name: 'me' }, /takes --name only for --type pgp/],
  [{ type: 'ecdsa', secret: true, out: '.' }, /--out or --secret, not both/],
  [{ type: 'ecdsa', out: '/dev/null/x' }, /cannot write keys into \/dev\/null\/x \(ENOTDIR\)/],
] as const) {
  test(`keygen refuses ${JSON.stringify(options)}`, async () => {
    await assert.rejects(run(options), { code: 'USAGE', message });
  });
}
