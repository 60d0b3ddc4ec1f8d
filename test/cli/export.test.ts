import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parse } from 'yaml';
import { type ExportArguments, runExport } from '../../src/cli/commands/export.ts';
import { keygen } from '../../src/cli/commands/keygen.ts';
import { runSign } from '../../src/cli/commands/sign.ts';
import { runVerify } from '../../src/cli/commands/verify.ts';
import { startSandbox } from '../../sandbox/index.ts';
import { digest, taskRunWith } from '../runs.ts';
import { withStderr } from './stderr.ts';

/** A cluster with a run that built an image; it is signed in its annotations unless `isSigned` is false. */
async function start(context: TestContext, isSigned = true) {
  const folder = await mkdtemp(join(tmpdir(), 'chains-export-'));
  const inFolder = (name: string) => join(folder, name);
  const sandbox = await startSandbox({ life: false, namespaces: ['tekton-chains', 'ci'] });
  context.after(() => Promise.all([sandbox.close(), rm(folder, { recursive: true })]));
  const silent = { stdout: { write: () => true }, stderr: { write: () => true } };
  await keygen({ type: 'ecdsa', out: folder }, silent, {});
  const { object } = taskRunWith([['IMAGES', `gcr.io/acme/app@${digest('a')}`]]);
  await writeFile(inFolder('run.json'), JSON.stringify(object));
  await writeFile(inFolder('signing.json'), JSON.stringify({ 'artifacts.taskrun.format': 'in-toto' }));
  let signed = '';
  const signing = { file: [inFolder('run.json')], config: inFolder('signing.json'), output: 'yaml' };
  await runSign({ ...signing, signingSecrets: folder }, (text) => (signed += text));
  sandbox.objects.put(isSigned ? parse(signed) : object);
  await writeFile(inFolder('kubeconfig'), sandbox.kubeconfig);
  const common = { kubeconfig: inFolder('kubeconfig'), namespace: 'ci', systemNamespace: 'tekton-chains' };
  const exported = async (options: Partial<ExportArguments> = {}) => {
    let out = '';
    const all = { ...common, out: inFolder('run.sigstore.json'), ...options };
    await runExport('taskrun/build', all, (text) => (out += text));
    return out.trim().split('\n');
  };
  const verified = (file: string, artifact: string) =>
    runVerify(
      [file],
      { ...common, file: [], key: [inFolder('x509.pub')], artifact, output: 'text' },
      () => undefined,
    );
  return { folder, inFolder, exported, verified };
}

test('a run and its images become bundles that verify', async (context) => {
  const { inFolder, exported, verified } = await start(context);
  const [own = '', image = '', ...more] = await exported();
  assert.deepEqual(more, []);
  assert.equal(own, inFolder('run.sigstore.json'));
  assert.match(image, /\/run\.\w+\.sigstore\.json$/);
  assert.equal(await verified(own, digest('a')), 0);
  assert.equal(await verified(own, digest('b')), 3);
  const bundle = JSON.parse(await readFile(image, 'utf8'));
  const hex = Buffer.from(bundle.messageSignature.messageDigest.digest, 'base64').toString('hex');
  assert.match(hex, /^[0-9a-f]{64}$/);
});

test('what is not one store, one run or a file of this ending is refused, and nothing is written', async (context) => {
  const { folder, inFolder, exported } = await start(context);
  const before = await readdir(folder);
  for (const [options, message] of [
    [{ store: 'all' }, /export reads one store/],
    [{ store: 'tekton,gcs' }, /export reads one store/],
    [{ store: 'gsc' }, /--store "gsc" is not known/],
    [{ store: 'pubsub' }, /can't be read back/],
    [{ uid: 'another' }, /the run is gone/],
    [{ namespace: 'default' }, /there is no taskrun build in the namespace default/],
    [{ out: inFolder('run.json') }, /--out is a file whose name ends in \.sigstore\.json/],
    [{ out: inFolder('nowhere/run.sigstore.json') }, /can't be written/],
  ] as const) {
    await assert.rejects(exported(options), { code: 'USAGE', message });
  }
  assert.deepEqual(await readdir(folder), before);
});

test('a run without signatures is an error, not an empty answer', async (context) => {
  const { exported } = await start(context, false);
  await assert.rejects(exported(), {
    code: 'USAGE',
    message: /the store tekton has nothing of taskrun\/build/,
  });
});

test('unknown keys of --config are warned about', async (context) => {
  const { inFolder, exported } = await start(context);
  await writeFile(inFolder('config.json'), JSON.stringify({ 'artifacts.taskrun.storge': 'tekton' }));
  const { result, err } = await withStderr(context, () => exported({ config: inFolder('config.json') }));
  assert.equal(result.length, 2);
  assert.match(err.join(''), /^warning: .*did you mean artifacts\.taskrun\.storage\?\n$/);
});
