import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { parse } from 'yaml';
import { runVerify } from '../../src/cli/commands/verify.ts';
import { verify } from '../../src/index.ts';
import { digest } from '../runs.ts';
import { withStderr } from './stderr.ts';
import { signedWith, verified } from './signed-run.ts';

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
