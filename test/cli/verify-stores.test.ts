import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { runVerify, type VerifyArguments } from '../../src/cli/commands/verify.ts';
import { parseConfig } from '../../src/config/parse.ts';
import type { JsonObject } from '../../src/json.ts';
import { openPipeline } from '../../src/pipeline.ts';
import { startSandbox } from '../../sandbox/index.ts';
import { openGate } from '../doubles/gate.ts';
import { createGcs } from '../doubles/gcs.ts';
import { createAuthority } from '../kubernetes/certificates.ts';
import { digest, taskRun } from '../runs.ts';
import { withEnvironment } from '../sign/kms/environment.ts';
import { pkcs8, secretsWith } from '../sign/keys.ts';
import { altered } from '../store/read-back.ts';
import { newKey } from '../store/oci/world.ts';

const data = {
  'artifacts.taskrun.format': 'slsa/v2alpha3',
  'artifacts.taskrun.storage': 'tekton,gcs',
  'artifacts.oci.storage': 'gcs',
  'storage.gcs.bucket': 'chains',
};
const status = {
  conditions: [{ type: 'Succeeded', status: 'True' }],
  startTime: '2026-01-01T10:00:00Z',
  completionTime: '2026-01-01T10:05:00Z',
};
const object = 'taskrun-ci-build/taskrun-uid-1';

/** A cluster and a bucket with the signed run ci/build in them, unless it is signed otherwise. */
async function start(
  context: TestContext,
  config: Readonly<Record<string, string>> = data,
  images: readonly string[] = [`gcr.io/acme/app@${digest('a')}`],
) {
  const folder = await mkdtemp(join(tmpdir(), 'chains-verify-'));
  const bucket = createGcs(['chains']);
  const objects = bucket.buckets.get('chains') ?? assert.fail();
  const gate = await openGate(bucket.respond);
  const sandbox = await startSandbox({ life: false, namespaces: ['tekton-chains', 'ci'] });
  context.after(async () => {
    await Promise.all([sandbox.close(), gate.close(), rm(folder, { recursive: true })]);
  });
  const { privateKey, publicKey } = newKey();
  const inFolder = (name: string) => join(folder, name);
  await writeFile(inFolder('key.pub'), publicKey);
  await writeFile(inFolder('kubeconfig'), sandbox.kubeconfig);
  await writeFile(inFolder('config.json'), JSON.stringify(config));
  const environment = { STORAGE_EMULATOR_HOST: `127.0.0.1:${gate.port}` };

  async function sign(uid: string): Promise<JsonObject> {
    const secrets = secretsWith({ 'x509.pem': pkcs8(privateKey) });
    const pipeline = openPipeline({ config: parseConfig(config).config, secrets });
    const results = [{ name: 'IMAGES', value: images.join() }];
    const run = taskRun({ ...status, results }, { uid });
    const { annotations, failures } = await withEnvironment(environment, () => pipeline.process(run));
    await pipeline.close();
    assert.deepEqual(failures, []);
    return { ...run.object, metadata: { ...Object(run.object['metadata']), annotations } };
  }

  async function verified(options: Partial<VerifyArguments> = {}) {
    let out = '';
    const hints: string[] = [];
    const code = await withEnvironment(environment, () =>
      runVerify(
        options.file === undefined ? ['taskrun/build'] : [],
        {
          ...{ file: [], key: [inFolder('key.pub')], kubeconfig: inFolder('kubeconfig'), namespace: 'ci' },
          ...{ systemNamespace: 'tekton-chains', output: 'text', ...options },
        },
        (text) => (out += text),
        (hint) => hints.push(hint),
      ),
    );
    return { code, out: out.replace(/\s+/g, ' '), hints };
  }

  const configMap = { apiVersion: 'v1', kind: 'ConfigMap', data: config };
  sandbox.objects.put({ ...configMap, metadata: { namespace: 'tekton-chains', name: 'chains-config' } });
  const run = await sign('uid-1');
  return { sandbox, gate, objects, sign, verified, run, inFolder };
}

test("each store that the cluster's configuration names is checked, with lines of its own", async (context) => {
  const { sandbox, gate, objects, verified, run } = await start(context);
  sandbox.objects.put(run);
  const { code, out, hints } = await verified();
  assert.deepEqual([code, hints], [0, []], out);
  assert.match(out, /✔ tekton taskrun-uid-1 signature: .*✔ gcs taskrun-uid-1 signature: /);
  assert.match(out, /✔ gcs taskrun-uid-1 stored: .* at gs:\/\/chains\/taskrun-ci-build\/taskrun-uid-1 /);
  assert.match(out, /✔ gcs aaaaaaaaaaaa image: /);
  assert.equal(out.match(/built by/g)?.length, 1);

  const payload = objects.get(`${object}.payload`) ?? assert.fail();
  objects.set(`${object}.payload`, { ...payload, bytes: altered(payload.bytes) });
  const tampered = await verified();
  assert.equal(tampered.code, 3);
  assert.match(
    tampered.out,
    /✔ tekton taskrun-uid-1 signature: .*✘ gcs taskrun-uid-1 signature: the envelope/,
  );
  assert.equal((await verified({ store: 'tekton' })).code, 0);

  gate.trouble = { happens: { status: 403 }, times: 9 };
  await assert.rejects(verified(), { code: 'STORE_REFUSED', hint: /--store says which ones to look into/ });
  gate.trouble = undefined;

  objects.clear();
  const missing = await verified({ output: 'json' });
  assert.equal(missing.code, 3);
  assert.match(
    missing.out,
    /"gcs taskrun-uid-1 stored","ok":false,"reason":"nothing is stored at gs:\/\/chains\/taskrun-ci-build\/taskrun-uid-1"/,
  );
  assert.match(missing.out, /"gcs aaaaaaaaaaaa stored","ok":false/);
});

test('images of one digest in several repositories are each stored, and each must be there', async (context) => {
  const images = ['gcr.io', 'eu.gcr.io'].map((host) => `${host}/acme/app@${digest('a')}`);
  const { sandbox, objects, verified, run } = await start(context, data, images);
  sandbox.objects.put(run);
  const { code, out } = await verified();
  assert.equal(code, 0, out);
  const checks =
    /gcs aaaaaaaaaaaa image: .*"gcr\.io\/.*gcs aaaaaaaaaaaa-[0-9a-f]{32} image: .*"eu\.gcr\.io\//;
  assert.match(out, checks);
  for (const name of objects.keys()) if (/aaaaaaaaaaaa-/.test(name)) objects.delete(name);
  assert.match((await verified()).out, /✘ gcs aaaaaaaaaaaa-[0-9a-f]{32} stored: nothing is stored at /);
});

test('every changed byte of every object fails, and so does a certificate of another key', async (context) => {
  const { sandbox, objects, verified, run } = await start(context);
  sandbox.objects.put(run);
  for (const [name, before] of objects) {
    for (let index = 0; index < before.bytes.length; index += 29) {
      const bytes = Buffer.from(before.bytes);
      bytes[index] = (bytes[index] ?? 0) ^ 1;
      objects.set(name, { ...before, bytes });
      assert.equal((await verified()).code, 3, `${name} ${index}`);
    }
    objects.set(name, before);
  }
  assert.equal((await verified()).code, 0);
  const bytes = Buffer.from(createAuthority('theirs').issue('builds').cert);
  objects.set(`${object}.cert`, { bytes, generation: '1' });
  assert.match((await verified()).out, /✘ gcs taskrun-uid-1 certificate: .* NOT verified/);
});

test('a run in a file is looked for where --config says, or in the stores that are named', async (context) => {
  const { objects, verified, run, inFolder } = await start(context);
  const { annotations: _, ...metadata } = Object(run['metadata']);
  await writeFile(inFolder('run.json'), JSON.stringify({ ...run, metadata }));
  const file = [inFolder('run.json')];
  const config = inFolder('config.json');
  assert.equal((await verified({ file })).code, 3);
  assert.equal((await verified({ file, config })).code, 3);
  assert.equal((await verified({ file, config, store: 'gcs' })).code, 0);
  assert.equal((await verified({ file, config, store: 'all' })).code, 3);
  objects.delete(`${object}.signature`);
  assert.match(
    (await verified({ file, config, store: 'gcs' })).out,
    /✘ gcs taskrun-uid-1 stored: gs:\S+: the signature is missing/,
  );
  await assert.rejects(verified({ file, config, store: 'docdb' }), {
    code: 'CONFIG_INVALID',
    message: /storage\.docdb\.url is not set/,
  });
  await assert.rejects(verified({ file, config, store: 'gsc' }), { code: 'USAGE', message: /"gsc"/ });
  await assert.rejects(verified({ file, config, store: 'pubsub' }), {
    code: 'USAGE',
    message: /can't be read back/,
  });
});

test('a run that is gone is verified by the uid that its provenance names', async (context) => {
  const { sandbox, sign, verified, inFolder } = await start(context);
  const gone = await verified({ uid: 'uid-1', output: 'json' });
  const { run, verified: is } = JSON.parse(gone.out);
  assert.deepEqual([gone.code, run.uid, is], [0, 'uid-1', true], gone.out);
  assert.match(gone.hints.join(), /^tekton is left out: the run is gone/);
  assert.equal((await verified({ uid: 'uid-2' })).code, 3);
  assert.equal((await verified({ uid: 'uid-1', store: 'gcs,tekton' })).code, 3);

  // The bucket knows which uids it has under a name; which of them is meant, it can't vouch for.
  const rerun = await sign('uid-2');
  await assert.rejects(verified({ store: 'gcs' }), {
    code: 'USAGE',
    message: /uids uid-1, uid-2: give the --uid/,
  });
  await assert.rejects(verified(), { code: 'USAGE', message: /there is no taskrun build/ });
  await assert.rejects(verified({ store: 'docdb' }), { code: 'USAGE', message: /give its --uid/ });

  // A later run of the same name doesn't stand for it.
  sandbox.objects.put(rerun);
  assert.match((await verified({ uid: 'uid-1' })).out, /uid uid-1, gone from the cluster\) .* verified/);
  const offline = { kubeconfig: inFolder('nowhere'), config: inFolder('config.json'), uid: 'uid-1' };
  const alone = await verified(offline);
  assert.equal(alone.code, 0);
  assert.match(alone.hints.join(), /^there is no cluster to ask/);
});

for (const format of ['tekton', 'in-toto']) {
  test(`nothing in the format ${format} says which run it was, once that is gone: not verified`, async (context) => {
    const { objects, verified } = await start(context, { ...data, 'artifacts.taskrun.format': format });
    assert.ok(objects.has(`${object}.payload`));
    const { code, out } = await verified({ uid: 'uid-1' });
    assert.equal(code, 3);
    assert.match(out, /✔ gcs taskrun-uid-1 signature.*✘ gcs taskrun-uid-1 uid: the TaskRun is gone/);
  });
}

test("an entry that was moved to another run's place is not that run's", async (context) => {
  const { objects, verified } = await start(context);
  for (const end of ['payload', 'signature'])
    objects.set(`taskrun-ci-build/taskrun-uid-9.${end}`, objects.get(`${object}.${end}`) ?? assert.fail());
  const { code, out } = await verified({ uid: 'uid-9' });
  assert.equal(code, 3);
  assert.match(out, /✘ gcs taskrun-uid-9 uid: the provenance is that of the run with uid "uid-1"/);
});

test('where the ConfigMap may not be read, the annotations are verified, and a hint says so', async (context) => {
  const { sandbox, verified, run } = await start(context);
  sandbox.objects.put(run);
  sandbox.faults.add({ kind: 'status', code: 403 }, { when: ({ resource }) => resource === 'configmaps' });
  const { code, out, hints } = await verified();
  assert.equal(code, 0, out);
  assert.doesNotMatch(out, /gcs/);
  assert.match(hints.join(), /^the ConfigMap chains-config in tekton-chains can't be used .*403/);
  await assert.rejects(verified({ store: 'gcs' }), { code: 'CLUSTER_REFUSED' });
});

test("a store that can't have the run is left out while another one has it", async (context) => {
  const { sandbox, verified, run } = await start(context);
  sandbox.objects.put(run);
  const config = {
    ...data,
    'artifacts.taskrun.storage': 'tekton,pubsub',
    'storage.pubsub.topic': 't',
    'storage.pubsub.provider': 'kafka',
    'storage.pubsub.kafka.bootstrap.servers': 'localhost:1',
  };
  const configMap = { apiVersion: 'v1', kind: 'ConfigMap', data: config };
  sandbox.objects.put({ ...configMap, metadata: { namespace: 'tekton-chains', name: 'chains-config' } });
  const { code, out, hints } = await verified();
  assert.equal(code, 0, out);
  assert.match(hints.join(), /^pubsub is left out: /);
});

test("images alone don't make a run verified", async (context) => {
  const { sandbox, verified, run } = await start(context, { ...data, 'artifacts.taskrun.storage': '' });
  sandbox.objects.put(run);
  const { code, out } = await verified({ store: 'all' });
  assert.equal(code, 3);
  assert.match(out, /✘ tekton signed: the run is unsigned.*✔ gcs aaaaaaaaaaaa image/);
  assert.equal((await verified()).code, 3);
});

test("a store that is named must have the run, even where it can't", async (context) => {
  const { sandbox, verified, run } = await start(context, {
    ...data,
    'artifacts.taskrun.storage': 'gcs',
    'storage.archivista.url': 'http://localhost:1',
  });
  sandbox.objects.put({ ...run, status: { ...status, results: [] } });
  const { code, out } = await verified({ store: 'archivista,gcs' });
  assert.equal(code, 3);
  assert.match(out, /✘ archivista stored: the run names nothing that it built/);
});
