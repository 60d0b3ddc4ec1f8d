import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, verify as verifySignature } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { parse } from 'yaml';
import { runSign, type SignArguments } from '../../src/cli/commands/sign.ts';
import { verify } from '../../src/index.ts';
import { digest } from '../runs.ts';
import { pkcs8, spki } from '../sign/keys.ts';
import { withStderr } from './stderr.ts';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

const run = {
  apiVersion: 'tekton.dev/v1',
  kind: 'TaskRun',
  metadata: { namespace: 'ci', name: 'build', uid: 'uid-1', annotations: { mine: 'kept' } },
  status: {
    conditions: [{ type: 'Succeeded', status: 'True' }],
    startTime: '2026-01-01T10:00:00Z',
    results: [{ name: 'IMAGES', value: `gcr.io/acme/app@${digest('a')}` }],
  },
};

/** Runs the command on a folder with the run and a key. */
async function signed(
  context: TestContext,
  output: string,
  options: Partial<SignArguments> = {},
  given: unknown = run,
): Promise<{ out: string; err: readonly string[]; code: number; folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'chains-sign-'));
  context.after(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'run.json'), JSON.stringify(given));
  await writeFile(join(folder, 'x509.pem'), pkcs8(privateKey));
  let out = '';
  const { result: code, err } = await withStderr(context, () =>
    runSign(
      {
        file: [join(folder, 'run.json')],
        signingSecrets: folder,
        output: output.replace('FOLDER', join(folder, 'out')),
        ...options,
      },
      (text) => (out += text),
    ),
  );
  return { out, err: err.map((text) => text.replaceAll(`${folder}/`, '')), code, folder };
}

test('-o json prints payload and signature of each artifact, and they verify', async (context) => {
  const { out, err, code } = await signed(context, 'json');
  assert.equal(code, 0);
  assert.deepEqual(err, []);
  const { artifacts } = JSON.parse(out);
  assert.deepEqual(
    artifacts.map(({ kind }: { kind: string }) => kind),
    ['taskrun', 'oci'],
  );
  for (const { payloadBytes, signature } of artifacts) {
    const [bytes, made] = [payloadBytes, signature].map((text: string) => Buffer.from(text, 'base64'));
    assert.ok(bytes !== undefined && made !== undefined);
    assert.ok(verifySignature('sha256', bytes, createPublicKey(spki(publicKey)), made));
  }
});

test('-o yaml prints the run as the controller would leave it, which verifies', async (context) => {
  const { out } = await signed(context, 'yaml');
  const object = parse(out);
  assert.equal(object.metadata.annotations.mine, 'kept');
  assert.equal(object.metadata.annotations['chains.tekton.dev/signed'], 'true');
  assert.equal(object.metadata.labels['chains.tekton.dev/signed'], 'true');
  // A reader of YAML 1.1 would take a bare one for a time.
  assert.match(out, /startTime: "2026-01-01T10:00:00Z"/);
  const { verified, checks } = await verify({ run: object, keys: [spki(publicKey)] });
  assert.ok(verified, JSON.stringify(checks));
});

test('-o dir=FOLDER writes files that a tool for signatures takes', async (context) => {
  const { folder } = await signed(context, 'dir=FOLDER');
  const place = join(folder, 'out', 'taskrun-ci-build');
  assert.deepEqual((await readdir(place)).toSorted(), [
    'aaaaaaaaaaaa.payload',
    'aaaaaaaaaaaa.signature',
    'taskrun-uid-1.payload',
    'taskrun-uid-1.signature',
  ]);
  const read = (part: string) => readFile(join(place, `taskrun-uid-1.${part}`));
  assert.ok(verifySignature('sha256', await read('payload'), publicKey, await read('signature')));
});

test('-o dir=FOLDER writes nothing outside of the folder, whatever a run calls itself', async (context) => {
  const { folder } = await signed(context, 'json');
  const odd = { ...run, metadata: { namespace: '../..', name: '../x', uid: '../../../y' } };
  await writeFile(join(folder, 'odd.json'), JSON.stringify(odd));
  const options = { file: [join(folder, 'odd.json')], signingSecrets: folder };
  await signed(context, `dir=${join(folder, 'deep', 'out')}`, options);
  assert.deepEqual(await readdir(join(folder, 'deep')), ['out']);
  assert.deepEqual(await readdir(join(folder, 'deep', 'out')), ['taskrun-.._..-.._x']);
});

test('without a key nothing is signed, and the exit code is 1', async (context) => {
  const { out, code } = await signed(context, 'json', { signingSecrets: '/nowhere' });
  assert.equal(code, 1);
  assert.match(JSON.parse(out).artifacts[0].error, /\/nowhere, does not exist/);
});

const regional = {
  ...run,
  status: {
    ...run.status,
    results: [
      {
        name: 'IMAGES',
        value: ['gcr.io', 'us.gcr.io', 'eu.gcr.io']
          .map((host) => `${host}/acme/app@${digest('a')}`)
          .join(',\n'),
      },
    ],
  },
};

test('images of one digest in several repositories: each has annotations and files of its own, and all verify', async (context) => {
  const { out, err, code } = await signed(context, 'yaml', {}, regional);
  assert.deepEqual([err, code], [[], 0]);
  const object = parse(out);
  const names = Object.keys(object.metadata.annotations).filter((name) => /payload-a{12}/.test(name));
  assert.equal(names.length, 3);
  const { verified, checks } = await verify({ run: object, keys: [spki(publicKey)] });
  assert.ok(verified, JSON.stringify(checks));
  for (const host of ['gcr.io', 'us.gcr.io', 'eu.gcr.io'])
    assert.ok(checks.some(({ reason }) => reason.includes(`names "${host}/acme/app@`)));
  const { folder } = await signed(context, 'dir=FOLDER', {}, regional);
  const files = await readdir(join(folder, 'out', 'taskrun-ci-build'));
  assert.equal(files.filter((name) => /^a{12}.*\.signature$/.test(name)).length, 3);
});

const large = { ...run, spec: { params: [{ name: 'text', value: 'x'.repeat(200_000) }] } };

test('what the run has no room for is an error of -o yaml, and the run is marked as the controller would mark it', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'chains-sign-'));
  context.after(() => rm(folder, { recursive: true }));
  const config = join(folder, 'config.yaml');
  await writeFile(config, 'artifacts.taskrun.format: in-toto');
  const { out, err, code } = await signed(context, 'yaml', { config }, large);
  assert.equal(code, 1);
  assert.equal(err.length, 1);
  assert.match(err[0] ?? '', /^error: run\.json: taskrun taskrun-uid-1: .* bytes of annotations do not fit/);
  const { annotations } = parse(out).metadata;
  assert.equal(annotations['chains.tekton.dev/signed'], 'failed');
  assert.match(annotations['chains.tekton.dev/message'], /do not fit/);
  assert.ok('chains.tekton.dev/payload-aaaaaaaaaaaa' in annotations);
  // Printed as JSON it is signed, and only the controller would have no place for it.
  const printed = await signed(context, 'json', { config }, large);
  assert.equal(printed.code, 0);
  assert.match(printed.err.join(), /^warning: run\.json: metadata\.annotations: .* do not fit/);
  assert.match(JSON.parse(printed.out).problems[0].message, /do not fit/);
});

test('half a pair and what is turned off are reported on stderr, one line each, and in the message of -o yaml', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'chains-sign-'));
  context.after(() => rm(folder, { recursive: true }));
  const config = join(folder, 'config.yaml');
  await writeFile(config, 'artifacts.oci.signer: none');
  const results = [...run.status.results, { name: 'APP_IMAGE_URL', value: 'gcr.io/acme/app' }];
  const half = { ...run, status: { ...run.status, results } };
  const { out, err, code } = await signed(context, 'yaml', { config }, half);
  assert.equal(code, 0);
  assert.equal(err.length, 2);
  assert.match(err[0] ?? '', /^warning: run\.json: artifacts\.oci\.signer is none\n$/);
  assert.match(err[1] ?? '', /^warning: run\.json: status\.results\[1\]: .*APP_IMAGE_DIGEST[^\n]*\n$/);
  const message = parse(out).metadata.annotations['chains.tekton.dev/message'];
  assert.match(message, /artifacts\.oci\.signer is none; status\.results\[1\]/);
});

test("keys of --config that aren't known are warned about once, and stand in the JSON", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'chains-sign-'));
  context.after(() => rm(folder, { recursive: true }));
  const config = join(folder, 'config.yaml');
  await writeFile(config, 'artifacts.taskrun.fromat: in-toto');
  const { out, err, code } = await signed(context, 'json', { config }, { kind: 'List', items: [run, run] });
  assert.equal(code, 0);
  assert.equal(err.length, 1);
  assert.match(
    err[0] ?? '',
    /^warning: .*"artifacts\.taskrun\.fromat".*did you mean artifacts\.taskrun\.format\?\n$/,
  );
  const { problems } = JSON.parse(out.split('\n')[0] ?? '');
  assert.equal(problems[0].at, 'config');
});

test("an output that there isn't is refused before anything is signed", async (context) => {
  await assert.rejects(signed(context, 'xml'), { code: 'USAGE', message: /use json, yaml or dir=FOLDER/ });
});
