import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, test } from 'node:test';
import * as openpgp from 'openpgp';
import { parse, stringify } from 'yaml';
import { keygen } from '../../src/cli/commands/keygen.ts';
import { runVerify, type VerifyArguments } from '../../src/cli/commands/verify.ts';
import { startSandbox } from '../../sandbox/index.ts';
import { startVault } from '../doubles/vault.ts';
import { signedWith, silent, slsaV1, verified } from './signed-run.ts';

const bothPgp = { 'artifacts.taskrun.signer': 'pgp', 'artifacts.oci.signer': 'pgp' };

for (const [type, key, config] of [
  ['ecdsa', 'x509.pub', slsaV1],
  ['ed25519', 'x509.pub', slsaV1],
  ['rsa', 'x509.pub', { 'artifacts.taskrun.format': 'in-toto' }],
  ['cosign', 'cosign.pub', slsaV1],
  ['pgp', 'pgp.public-key', { ...slsaV1, ...bothPgp }],
  ['pgp', 'pgp.public-key', bothPgp],
] as const) {
  const format = Object.hasOwn(config, 'artifacts.taskrun.format') ? 'provenance' : 'a status';
  test(`${format} signed with a key of the type ${type} verifies with ${key}, and with no other key`, async (context) => {
    const folder = await signedWith(context, type, config);
    const other = await signedWith(context, type, config);
    const { out, code } = await verified(folder, [join(folder, key)]);
    assert.equal(code, 0, out);
    assert.match(out, /\n {2}verified\n/);
    const wrong = await verified(folder, [join(other, key)]);
    assert.equal(wrong.code, 3);
    assert.match(wrong.out, /✘ taskrun\S* signature:/);
    assert.match(wrong.out, /NOT verified/);
    const either = await verified(folder, [join(other, key), join(folder, key)]);
    assert.equal(either.code, 0);
  });
}

test('the text shows each check and sums up who built what, from what, by which steps, within 100 columns', async (context) => {
  const folder = await signedWith(context, 'ecdsa');
  const { out } = await verified(folder, [join(folder, 'x509.pub')]);
  for (const expected of [
    /^TaskRun ci\/build \(uid uid-1\)\n/,
    /✔ taskrun-uid-1 signature: the payload is signed by\s+SHA256:/,
    /built by {2}https:\/\/tekton\.dev\/chains\/v2/,
    /built {5}gcr\.io\/acme\/app@sha256:a+/,
    /from {6}git\+https:\/\/github\.com\/acme\/app\.git@sha1:5f0c6d7e8a9b0c1d2e3f4a5b6c7d8e9f0a1b2c3d/,
    /by steps {2}compile \(gcr\.io\/tools\/builder\)/,
  ]) {
    assert.match(out, expected);
  }
  for (const line of out.split('\n')) assert.ok(line.length <= 100, line);
});

test('-o json gives a line a run', async (context) => {
  const folder = await signedWith(context, 'ecdsa');
  const { out } = await verified(folder, [join(folder, 'x509.pub')], { output: 'json' });
  const { run: about, verified: is, checks, summaries } = JSON.parse(out);
  assert.deepEqual([about.name, is, summaries.length], ['build', true, 1]);
  assert.ok(checks.every(({ ok }: { ok: boolean }) => ok));
});

describe('what is expected of provenance', () => {
  const met: readonly Partial<VerifyArguments>[] = [
    { builderId: 'https://tekton.dev/chains/v2' },
    { sourceUri: 'https://github.com/acme/app' },
    {
      sourceUri: 'git+https://github.com/acme/app.git',
      sourceDigest: 'sha1:5f0c6d7e8a9b0c1d2e3f4a5b6c7d8e9f0a1b2c3d',
    },
    { sourceDigest: '5f0c6d7e8a9b0c1d2e3f4a5b6c7d8e9f0a1b2c3d' },
    { buildType: 'https://tekton.dev/chains/v2/slsa' },
    { require: 'slsa-v1' },
  ];
  const unmet: readonly Partial<VerifyArguments>[] = [
    { builderId: 'https://tekton.dev/chains/v1' },
    { sourceUri: 'https://github.com/acme/ap' },
    { sourceUri: 'https://github.com/acme/app', sourceDigest: 'sha1:abc12' },
    { sourceDigest: 'sha256:5f0c6d7e8a9b0c1d2e3f4a5b6c7d8e9f0a1b2c3d' },
    { buildType: 'tekton.dev/v1/TaskRun' },
  ];

  it('is met or not, each by itself', async (context) => {
    const folder = await signedWith(context, 'ecdsa');
    const key = [join(folder, 'x509.pub')];
    for (const one of met) assert.equal((await verified(folder, key, one)).code, 0, JSON.stringify(one));
    for (const one of unmet) assert.equal((await verified(folder, key, one)).code, 3, JSON.stringify(one));
  });

  it('is not met by other provenance, nor where there is none', async (context) => {
    const old = await signedWith(context, 'ecdsa', { 'artifacts.taskrun.format': 'in-toto' });
    assert.equal((await verified(old, [join(old, 'x509.pub')], { require: 'slsa-v1' })).code, 3);
    const status = await signedWith(context, 'ecdsa', {});
    const { out, code } = await verified(status, [join(status, 'x509.pub')], { builderId: 'x' });
    assert.equal(code, 3);
    assert.match(out, /there is no provenance that could say/);
  });
});

test("every changed byte of payload and signature fails, and so does another run's uid", async (context) => {
  const folder = await signedWith(context, 'ecdsa');
  const signed = parse(await readFile(join(folder, 'signed.yaml'), 'utf8'));
  const key = [join(folder, 'x509.pub')];
  const attempt = async (changed: unknown) => {
    await writeFile(join(folder, 'signed.yaml'), stringify(changed));
    return (await verified(folder, key)).code;
  };
  assert.equal(await attempt(signed), 0);
  for (const part of ['payload-taskrun-uid-1', 'signature-taskrun-uid-1']) {
    const name = `chains.tekton.dev/${part}`;
    const bytes = Buffer.from(signed.metadata.annotations[name], 'base64');
    for (let index = 0; index < bytes.length; index += 41) {
      const changed = Buffer.from(bytes);
      changed[index] = (changed[index] ?? 0) ^ 1;
      const annotations = { ...signed.metadata.annotations, [name]: changed.toString('base64') };
      assert.equal(
        await attempt({ ...signed, metadata: { ...signed.metadata, annotations } }),
        3,
        `${part} ${index}`,
      );
    }
  }
  assert.equal(await attempt({ ...signed, metadata: { ...signed.metadata, uid: 'uid-2' } }), 3);
});

test('a PGP key that has expired since it signed no longer proves anything', async (context) => {
  const folder = await signedWith(context, 'pgp', { ...slsaV1, ...bothPgp });
  const passphrase = await readFile(join(folder, 'pgp.passphrase'), 'utf8');
  const locked = await openpgp.readPrivateKey({
    armoredKey: await readFile(join(folder, 'pgp.private-key'), 'utf8'),
  });
  const privateKey = await openpgp.decryptKey({ privateKey: locked, passphrase });
  const date = new Date(Date.now() + 1_000);
  const { publicKey } = await openpgp.reformatKey({
    privateKey,
    userIDs: [{ name: 'x' }],
    keyExpirationTime: 1,
    date,
    format: 'object',
  });
  await writeFile(join(folder, 'expired'), publicKey.armor());
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  const { out, code } = await verified(folder, [join(folder, 'expired')]);
  assert.equal(code, 3);
  assert.match(out, /expired on/);
});

test('a key in a KMS is fetched by its reference', async (context) => {
  const vault = await startVault();
  context.after(() => vault.close());
  vault.createKey('chains', 'P-256');
  const auth = { 'signers.kms.auth.address': vault.address, 'signers.kms.auth.token': vault.rootToken };
  const kms = Object.fromEntries(['taskrun', 'oci'].map((kind) => [`artifacts.${kind}.signer`, 'kms']));
  const config = { ...slsaV1, ...kms, ...auth, 'signers.kms.kmsref': 'hashivault://chains' };
  const folder = await signedWith(context, 'kms', config);
  const options = { config: join(folder, 'config.json') };
  assert.equal((await verified(folder, ['hashivault://chains'], options)).code, 0);
  await assert.rejects(verified(folder, ['hashivault://nobody'], options), { code: 'KMS_REFUSED' });
});

test('a Secret in a cluster gives the key, and a run in a cluster is verified by its name', async (context) => {
  const folder = await signedWith(context, 'ecdsa');
  const sandbox = await startSandbox({ life: false, namespaces: ['tekton-chains', 'ci'] });
  context.after(() => sandbox.close());
  const kubeconfig = join(folder, 'kubeconfig');
  await writeFile(kubeconfig, sandbox.kubeconfig);
  await keygen({ type: 'cosign', secret: true, apply: true, kubeconfig }, silent, {});
  sandbox.objects.put(parse(await readFile(join(folder, 'signed.yaml'), 'utf8')));
  const inCluster = async (key: string) => {
    let out = '';
    const options = {
      file: [],
      key: [key],
      kubeconfig,
      namespace: 'ci',
      systemNamespace: 'tekton-chains',
      output: 'text',
    } as const;
    return { code: await runVerify(['taskrun/build'], options, (text) => (out += text)), out };
  };
  assert.equal((await inCluster(join(folder, 'x509.pub'))).code, 0);
  assert.equal((await inCluster('k8s://tekton-chains/signing-secrets')).code, 3);
  await assert.rejects(inCluster('k8s://tekton-chains/nothing'), {
    code: 'USAGE',
    message: /there is no Secret nothing/,
  });
  const secret = parse(
    `{apiVersion: v1, kind: Secret, metadata: {name: damaged, namespace: tekton-chains}, data: {x509.pem: ${Buffer.from('-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----').toString('base64')}}}`,
  );
  sandbox.objects.put(secret);
  await assert.rejects(inCluster('k8s://tekton-chains/damaged'), {
    code: 'KEY_INVALID',
    message: /x509\.pem can't be read without a password, or is damaged/,
  });
});
