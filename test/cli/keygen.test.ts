import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { parse } from 'yaml';
import { keygen, type KeygenOptions } from '../../src/cli/keygen.ts';
import { parseConfig } from '../../src/config/parse.ts';
import { signers } from '../../src/sign/index.ts';
import { readSecrets } from '../../src/sign/secrets.ts';
import { secretsWith, spki } from '../sign/keys.ts';

const { config } = parseConfig({});

async function folderFor(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'chains-keygen-'));
  context.after(() => rm(folder, { recursive: true }));
  return folder;
}

async function run(options: KeygenOptions): Promise<{ out: string; err: string }> {
  const written = { out: '', err: '' };
  await keygen(options, {
    stdout: { write: (text) => (written.out += text) },
    stderr: { write: (text) => (written.err += text) },
  });
  return written;
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
      out.includes(`create secret generic signing-secrets -n tekton-chains --from-file='${folder}/x509.pem'`),
      out,
    );
    assert.equal(err, '');
    assert.ok(!out.includes('PRIVATE KEY'));
  });
}

for (const inTheWay of ['x509.pem', 'x509.pub']) {
  test(`keygen never overwrites, and leaves no half behind: ${inTheWay} is in the way`, async (context) => {
    const folder = await folderFor(context);
    await writeFile(join(folder, inTheWay), 'mine');
    await assert.rejects(run({ type: 'ecdsa', out: folder }), {
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

for (const [options, message] of [
  [{ type: 'cosign' }, /--type "cosign" comes with a later version; use ecdsa, ed25519, rsa/],
  [{ type: 'pgp' }, /"pgp" comes with a later version/],
  [{ type: 'constructor' }, /"constructor" is no type of key/],
  [{ type: 'ecdsa', secret: true, out: '.' }, /--out or --secret, not both/],
  [{ type: 'ecdsa', out: '/dev/null/x' }, /cannot write keys into \/dev\/null\/x \(ENOTDIR\)/],
] as const) {
  test(`keygen refuses ${JSON.stringify(options)}`, async () => {
    await assert.rejects(run(options), { code: 'USAGE', message });
  });
}
