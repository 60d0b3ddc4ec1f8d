import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, verify as verifySignature } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { parse } from 'yaml';
import { runSign, type SignArguments } from '../../src/cli/sign.ts';
import { verify } from '../../src/index.ts';
import { digest } from '../runs.ts';
import { pkcs8, spki } from '../sign/keys.ts';

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
): Promise<{ out: string; code: number; folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'chains-sign-'));
  context.after(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'run.json'), JSON.stringify(run));
  await writeFile(join(folder, 'x509.pem'), pkcs8(privateKey));
  let out = '';
  const code = await runSign(
    {
      file: [join(folder, 'run.json')],
      signingSecrets: folder,
      output: output.replace('FOLDER', join(folder, 'out')),
      ...options,
    },
    (text) => (out += text),
  );
  return { out, code, folder };
}

test('-o json prints payload and signature of each artifact, and they verify', async (context) => {
  const { out, code } = await signed(context, 'json');
  assert.equal(code, 0);
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

test('an output that there isn’t is refused before anything is signed', async (context) => {
  await assert.rejects(signed(context, 'xml'), { code: 'USAGE', message: /use json, yaml or dir=FOLDER/ });
});
