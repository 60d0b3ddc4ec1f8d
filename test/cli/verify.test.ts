import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, it, type TestContext, test } from 'node:test';
import * as openpgp from 'openpgp';
import { parse, stringify } from 'yaml';
import { keygen } from '../../src/cli/commands/keygen.ts';
import { runSign } from '../../src/cli/commands/sign.ts';
import { runVerify, type VerifyArguments } from '../../src/cli/commands/verify.ts';
import { verify } from '../../src/index.ts';
import type { JsonObject } from '../../src/json.ts';
import { startSandbox } from '../../sandbox/index.ts';
import { startVault } from '../doubles/vault.ts';
import { digest } from '../runs.ts';
import { withStderr } from './stderr.ts';

const run: JsonObject = {
  apiVersion: 'tekton.dev/v1',
  kind: 'TaskRun',
  metadata: { namespace: 'ci', name: 'build', uid: 'uid-1' },
  spec: { taskSpec: { steps: [{ name: 'compile', image: 'gcr.io/tools/builder' }] } },
  status: {
    conditions: [{ type: 'Succeeded', status: 'True' }],
    startTime: '2026-01-01T10:00:00Z',
    completionTime: '2026-01-01T10:05:00Z',
    results: [
      { name: 'IMAGES', value: `gcr.io/acme/app@${digest('a')}` },
      { name: 'CHAINS-GIT_URL', value: 'https://github.com/acme/app' },
      { name: 'CHAINS-GIT_COMMIT', value: '5f0c6d7e8a9b0c1d2e3f4a5b6c7d8e9f0a1b2c3d' },
    ],
  },
};

const slsaV1 = { 'artifacts.taskrun.format': 'slsa/v2alpha3' };
const silent = { stdout: { write: () => true }, stderr: { write: () => true } };

/** A folder with a key of this type and the run, signed with it, in `signed.yaml`. */
async function signedWith(
  context: TestContext,
  type: string,
  config: Readonly<Record<string, string>> = slsaV1,
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'chains-verify-'));
  context.after(() => rm(folder, { recursive: true }));
  if (type !== 'kms') await keygen({ type, out: folder }, silent, {});
  await writeFile(join(folder, 'run.json'), JSON.stringify(run));
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  let signed = '';
  const options = { file: [join(folder, 'run.json')], config: join(folder, 'config.json') };
  const code = await runSign(
    { ...options, signingSecrets: folder, output: 'yaml' },
    (text) => (signed += text),
  );
  assert.equal(code, 0);
  await writeFile(join(folder, 'signed.yaml'), signed);
  return folder;
}

/** Runs the command on the signed run of a folder. */
async function verified(
  folder: string,
  key: readonly string[],
  options: Partial<VerifyArguments> = {},
): Promise<{ out: string; code: number }> {
  let out = '';
  const file = [join(folder, 'signed.yaml')];
  const defaults = { file, systemNamespace: 'tekton-chains', output: 'text' } as const;
  const code = await runVerify([], { ...defaults, key, ...options }, (text) => (out += text));
  return { out, code };
}

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

test('without a key, without a run, or with what is not a key, it says what to give', async (context) => {
  const folder = await signedWith(context, 'ecdsa');
  await assert.rejects(verified(folder, []), { code: 'USAGE', message: /verify needs --key/ });
  await assert.rejects(verified(folder, ['/nowhere']), { code: 'USAGE', message: /\/nowhere can't be read/ });
  await assert.rejects(verified(folder, [join(folder, 'x509.pem')]), {
    code: 'KEY_INVALID',
    message: /give the public key/,
  });
  await assert.rejects(verified(folder, [join(folder, 'x509.pub')], { file: [] }), { code: 'USAGE' });
});

test('options of one kind of subject are refused for another one, since they would verify nothing', async (context) => {
  const folder = await signedWith(context, 'ecdsa');
  const key = [join(folder, 'x509.pub')];
  const image = `localhost:1/app@${digest('a')}`;
  const bundle = 'app.sigstore.json';
  const runOnly = /--store and --uid are for runs/;
  for (const [names, options, message] of [
    [[], { artifact: digest('a') }, /--artifact is for bundles/],
    [['image', image], { artifact: digest('a') }, /--artifact is for bundles/],
    [['image', image], { store: 'gcs' }, runOnly],
    [['image', image], { uid: 'uid-1' }, runOnly],
    [[bundle], { artifact: digest('a'), store: 'gcs' }, runOnly],
    [[bundle], { artifact: digest('a'), uid: 'uid-1' }, runOnly],
    [['image'], {}, /takes the reference of an image/],
    [[], { uid: 'uid-1' }, /--uid is that of one run/],
  ] as const) {
    const file = names.length === 0 ? [join(folder, 'signed.yaml')] : [];
    const common = { file, key, systemNamespace: 'tekton-chains', output: 'text' } as const;
    await assert.rejects(runVerify(names, { ...common, ...options }), { code: 'USAGE', message });
  }
});

test('a configuration on standard input is that of every run, and nothing else can be read from there', async (context) => {
  const folder = await signedWith(context, 'ecdsa');
  const data = { 'artifacts.taskrun.storage': 'pubsub', 'storage.pubsub.topic': 'runs' };
  const stdin = context.mock.getter(process, 'stdin', () => Readable.from([]));
  const given = () => {
    const stream = Readable.from([JSON.stringify({ ...data, 'storage.pubsub.provider': 'gcp' })]);
    stdin.mock.mockImplementation(() => stream);
  };
  const signed = join(folder, 'signed.yaml');
  const key = [join(folder, 'x509.pub')];
  given();
  const { out, code } = await verified(folder, key, { config: '-', file: [signed, signed] });
  assert.equal(code, 3);
  assert.equal(out.match(/can't be read back/g)?.length, 2, out);
  given();
  await assert.rejects(verified(folder, key, { config: '-', file: ['-'] }), {
    code: 'USAGE',
    message: /standard input can be read only once/,
  });
});

test("keys of --config that aren't known are warned about, and stand in the library's answer", async (context) => {
  const folder = await signedWith(context, 'ecdsa');
  const config = join(folder, 'typo.json');
  await writeFile(config, JSON.stringify({ 'artifacts.taskrun.storge': 'tekton' }));
  const key = join(folder, 'x509.pub');
  const { result, err } = await withStderr(context, () => verified(folder, [key], { config }));
  assert.equal(result.code, 0);
  assert.equal(err.length, 1);
  assert.match(err[0] ?? '', /^warning: .*did you mean artifacts\.taskrun\.storage\?\n$/);
  const { verified: good, problems } = await verify({
    run: parse(await readFile(join(folder, 'signed.yaml'), 'utf8')),
    keys: [await readFile(key, 'utf8')],
    config: { 'artifacts.taskrun.storge': 'tekton' },
  });
  assert.ok(good);
  assert.match(problems[0]?.message ?? '', /did you mean artifacts\.taskrun\.storage\?$/);
});

test('verifying images and keyless signatures warns of unknown keys too, once', async (context) => {
  const folder = await signedWith(context, 'ecdsa');
  const config = join(folder, 'typo.json');
  await writeFile(config, JSON.stringify({ 'artifacts.taskrun.storge': 'tekton' }));
  const keyless = { certificateIdentity: 'someone', certificateOidcIssuer: 'https://issuer.example.com' };
  const signed = await withStderr(context, () => verified(folder, [], { config, ...keyless }));
  assert.equal(signed.result.code, 3);
  const common = { file: [], systemNamespace: 'tekton-chains', output: 'text', config } as const;
  const image = await withStderr(context, () =>
    assert.rejects(
      runVerify(['image', `localhost:1/app@${digest('a')}`], { ...common, key: [join(folder, 'x509.pub')] }),
      { code: 'STORE_UNAVAILABLE' },
    ),
  );
  for (const { err } of [signed, image]) {
    assert.equal(err.length, 1);
    assert.match(err[0] ?? '', /^warning: .*did you mean artifacts\.taskrun\.storage\?\n$/);
  }
});
