import assert from 'node:assert/strict';
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import type { FormatName } from '../../src/config/keys.ts';
import { parseConfig } from '../../src/config/parse.ts';
import { extract } from '../../src/extract/index.ts';
import { loadFormat } from '../../src/format/index.ts';
import { storageKeyOf } from '../../src/model/artifact.ts';
import type { Json } from '../../src/json.ts';
import { parseRun, type Run } from '../../src/model/run.ts';
import { signers, signPayload } from '../../src/sign/index.ts';
import { stores } from '../../src/store/index.ts';
import type { Verification } from '../../src/verify/checks.ts';
import type { Expectations } from '../../src/verify/provenance.ts';
import { readKeys } from '../../src/verify/public-key.ts';
import { verifyRun } from '../../src/verify/run.ts';
import { createAuthority } from '../kubernetes/certificates.ts';
import { digest, pipelineRun, taskRun } from '../runs.ts';
import { keyPairs, pkcs8, secretsWith, spki } from '../sign/keys.ts';

const { config } = parseConfig({});
const mark = (name: string) => `chains.tekton.dev/${name}`;
const status: Json = {
  conditions: [{ type: 'Succeeded', status: 'True' }],
  results: [{ name: 'IMAGES', value: `gcr.io/acme/app@${digest('a')},gcr.io/acme/copy@${digest('a')}` }],
  odd: [-0, 1e300, '\ud800', { ['__proto__']: 1 }],
};
/** What the second image is stored under. */
const copy = storageKeyOf(extract(taskRun(status)).artifacts[2] ?? assert.fail());
const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const publicKey = spki(keys.publicKey);

/** The run as the controller leaves it: each artifact in its format, signed, and stored in annotations. */
async function signed(
  run: Run,
  privateKey = keys.privateKey,
  imageFormat: 'simplesigning' | 'tekton' = 'simplesigning',
  runFormat: FormatName = 'tekton',
): Promise<Run> {
  const signer = await (await signers.x509())(config, secretsWith({ 'x509.pem': pkcs8(privateKey) }));
  const store = await (await stores.tekton())(config);
  const annotations = { ...run.annotations, [mark('signed')]: 'true', [mark('signed-uid')]: run.uid };
  for (const artifact of extract(run).artifacts) {
    const name = artifact.kind === 'oci' ? imageFormat : runFormat;
    const payload = (await loadFormat(name))(artifact, { config, name, report: () => {} });
    Object.assign(
      annotations,
      await store.store({ artifact, payload, signature: await signPayload(signer, payload) }),
    );
  }
  return withAnnotations(run, annotations);
}

function withAnnotations(run: Run, annotations: Readonly<Record<string, string>>): Run {
  const { metadata, ...rest } = run.object;
  return parseRun({ ...rest, metadata: { ...Object(metadata), annotations } });
}

const checked = async (run: Run, keyTexts: readonly string[] = [publicKey], expected: Expectations = {}) =>
  verifyRun(run, { keys: await readKeys(keyTexts), expected });

const failed = ({ checks }: Verification) => checks.filter(({ ok }) => !ok).map(({ name }) => name);

const failedChecks = async (run: Run, keyTexts?: readonly string[], expected?: Expectations) =>
  failed(await checked(run, keyTexts, expected));

for (const [name, generate] of Object.entries(keyPairs)) {
  test(`what a key of the kind ${name} signed verifies under its public key, and under no other`, async () => {
    const pair = generate();
    const run = await signed(taskRun(status), pair.privateKey);
    const { verified, checks } = await checked(run, [publicKey, spki(pair.publicKey)]);
    assert.ok(verified, JSON.stringify(checks));
    assert.deepEqual(
      checks.map((check) => check.name),
      [
        'taskrun stored',
        'taskrun signature',
        'taskrun uid',
        'taskrun status',
        'aaaaaaaaaaaa stored',
        'aaaaaaaaaaaa signature',
        'aaaaaaaaaaaa image',
        `${copy} stored`,
        `${copy} signature`,
        `${copy} image`,
      ],
    );
    assert.deepEqual(await failedChecks(run), [
      'taskrun signature',
      'aaaaaaaaaaaa signature',
      `${copy} signature`,
    ]);
  });
}

test('a PipelineRun is found by its uid, and images may be in the format tekton', async () => {
  assert.ok((await checked(await signed(pipelineRun({ a: 1 })))).verified);
  const run = await signed(taskRun(status), keys.privateKey, 'tekton');
  assert.ok((await checked(run)).verified);
});

test('every changed character of every annotation, and every missing one, fails', async () => {
  const run = await signed(taskRun(status));
  assert.ok((await checked(run)).verified);
  for (const [name, text] of Object.entries(run.annotations)) {
    if (name === mark('signed')) continue;
    const { [name]: _, ...without } = run.annotations;
    assert.ok(!(await checked(withAnnotations(run, without))).verified, name);
    for (let index = 0; index <= text.length; index += 1) {
      const character = text[index] === 'A' ? 'B' : 'A';
      const changed = text.slice(0, index) + character + text.slice(index + 1);
      const annotations = { ...run.annotations, [name]: changed };
      const where = `${name} at ${index}`;
      assert.ok(!(await checked(withAnnotations(run, annotations))).verified, where);
    }
  }
});

test('a certificate that is stored with a signature must be of the key that made it', async () => {
  const [pair, other] = [createAuthority('ours').issue('builds'), createAuthority('theirs').issue('builds')];
  const run = await signed(taskRun(status), createPrivateKey(pair.key));
  const failing = (text: string) => {
    const annotations = { ...run.annotations, [mark('cert-taskrun')]: text };
    return failedChecks(withAnnotations(run, annotations), [pair.cert]);
  };
  assert.deepEqual(await failing(btoa(pair.cert)), []);
  assert.deepEqual(await failing(''), []);
  assert.deepEqual(await failing(btoa(other.cert)), ['taskrun certificate']);
  assert.deepEqual(await failing(btoa('no certificate')), ['taskrun certificate']);
  assert.deepEqual(await failing(`${btoa(pair.cert)}\n`), ['taskrun stored']);
});

test('base64 that says the same in another way is refused', async () => {
  const run = await signed(taskRun(status));
  const name = mark('signature-taskrun');
  const text = run.annotations[name] ?? '';
  for (const changed of [`${text}\n`, ` ${text}`, text.replace(/^/, '*'), `${text}====`]) {
    const annotations = { ...run.annotations, [name]: changed };
    assert.deepEqual(await failedChecks(withAnnotations(run, annotations)), ['taskrun stored']);
  }
});

test("a renamed key of an image is one that the run doesn't name", async () => {
  const run = await signed(taskRun(status));
  const renamed = Object.entries(run.annotations).map(([name, text]) => [
    name.replace('-aaaaaaaaaaaa', '-bbbbbbbbbbbb'),
    text,
  ]);
  assert.deepEqual(await failedChecks(withAnnotations(run, Object.fromEntries(renamed))), [
    'bbbbbbbbbbbb image',
    `${copy.replace('aaaaaaaaaaaa', 'bbbbbbbbbbbb')} image`,
  ]);
});

test('under the key of a further image only that image counts; under 12 digits any image of them, as others store them', async () => {
  const run = await signed(taskRun(status));
  const swapped = (from: string, to: string) =>
    withAnnotations(run, {
      ...run.annotations,
      ...Object.fromEntries(
        ['payload', 'signature'].map((part) => [
          mark(`${part}-${to}`),
          run.annotations[mark(`${part}-${from}`)] ?? assert.fail(),
        ]),
      ),
    });
  assert.deepEqual(await failedChecks(swapped('aaaaaaaaaaaa', copy)), [`${copy} image`]);
  assert.deepEqual(await failedChecks(swapped(copy, 'aaaaaaaaaaaa')), []);
});

test('an image whose entry was replaced by that of another image with the same digits is missed where images are stored', async () => {
  const run = await signed(taskRun(status));
  const entryOf = (key: string, of: string) =>
    ['payload', 'signature'].map((part): readonly [string, string] => [
      mark(`${part}-${key}`),
      run.annotations[mark(`${part}-${of}`)] ?? assert.fail(),
    ]);
  const replaced = withAnnotations(run, {
    ...run.annotations,
    ...Object.fromEntries(entryOf('aaaaaaaaaaaa', copy)),
  });
  const options = { keys: await readKeys([publicKey]), expected: {}, imagesNeeded: true };
  assert.deepEqual(failed(await verifyRun(run, options)), []);
  assert.deepEqual(failed(await verifyRun(replaced, options)), ['aaaaaaaaaaaa stored']);
});

test("a status that changed after signing fails, its order doesn't matter", async () => {
  const run = await signed(taskRun({ a: [1, 2], b: { c: 'd', e: null } }));
  const withStatus = (changed: Json) => parseRun({ ...run.object, status: changed });
  assert.deepEqual(await failedChecks(withStatus({ b: { e: null, c: 'd' }, a: [1, 2] })), []);
  for (const changed of [{ a: [2, 1], b: { c: 'd', e: null } }, { a: [1, 2], b: { c: 'd' } }, {}, null]) {
    assert.deepEqual(await failedChecks(withStatus(changed)), ['taskrun status']);
  }
});

test('annotations that a rerun copied from a run of another uid are ignored', async () => {
  const original = await signed(taskRun(status));
  const rerun = taskRun(status, { uid: 'uid-2', annotations: original.annotations });
  assert.deepEqual(await failedChecks(rerun), ['taskrun uid']);
  const pipeline = await signed(pipelineRun({}));
  const rerunPipeline = pipelineRun({}, { uid: 'uid-2', annotations: pipeline.annotations });
  assert.deepEqual(await failedChecks(rerunPipeline), ['signed']);
});

const otherImages: readonly (readonly [string, string])[] = [
  [
    'another digest with the same first 12 digits',
    `gcr.io/acme/app@sha256:${'a'.repeat(12)}${'b'.repeat(52)}`,
  ],
  ['the same digest in another repository', `gcr.io/elsewhere/app@${digest('a')}`],
];

for (const [name, image] of otherImages) {
  test(`a payload of an image that the run doesn't name fails: ${name}`, async () => {
    const other: Json = { results: [{ name: 'IMAGES', value: image }] };
    const run = await signed(taskRun(status));
    const stolen = await signed(taskRun(other));
    const annotations = { ...run.annotations };
    for (const part of ['payload', 'signature']) {
      annotations[mark(`${part}-aaaaaaaaaaaa`)] = stolen.annotations[mark(`${part}-aaaaaaaaaaaa`)] ?? '';
    }
    assert.deepEqual(await failedChecks(withAnnotations(run, annotations)), ['aaaaaaaaaaaa image']);
  });
}

test('an unsigned run is not verified, and the reason says what its marks say', async () => {
  const reasonFor = async (annotations: Readonly<Record<string, string>>) => {
    const run = taskRun(status, { annotations });
    const { verified, checks } = await checked(run, [publicKey]);
    assert.equal(verified, false);
    return checks[0]?.reason ?? '';
  };
  assert.match(await reasonFor({}), /^the run is unsigned: it has no payload/);
  const failed = { [mark('signed')]: 'failed', [mark('signed-uid')]: 'uid-1', [mark('message')]: 'no\nkey' };
  assert.match(await reasonFor(failed), /signing it failed: "no\\u\{a\}key"/);
  assert.match(await reasonFor({ [mark('signed')]: 'true' }), /another store may have them/);
});

for (const [name, key, message] of [
  ['none', undefined, /no key to verify with/],
  ['no PEM', 'x', /0 PEM blocks/],
  ['two keys', publicKey + publicKey, /2 PEM blocks/],
  ['a private key', pkcs8(keys.privateKey), /PRIVATE KEY; give the public key: `openssl pkey/],
  ['a damaged key', publicKey.replace(/\n.{40}/, '\n'), /damaged PUBLIC KEY/],
  [
    'a curve that signs no runs',
    spki(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey),
    /an EC key on secp256k1/,
  ],
] as const) {
  test(`a key that can't be used to verify is KEY_INVALID: ${name}`, async () => {
    await assert.rejects(readKeys(key === undefined ? [] : [key]), { code: 'KEY_INVALID', message });
  });
}

const provenanceFormats = ['in-toto', 'slsa/v1', 'slsa/v2alpha3', 'slsa/v2alpha4'] as const;

/** A TaskRun of which provenance can be made, with one image. */
const built = taskRun({
  conditions: [{ type: 'Succeeded', status: 'True' }],
  startTime: '2026-01-01T10:00:00.120Z',
  completionTime: '2026-01-01T10:05:00Z',
  steps: [{ name: 'build', imageID: `gcr.io/tools/builder@${digest('b')}` }],
  results: [{ name: 'IMAGES', value: `gcr.io/acme/app@${digest('a')}` }],
});

for (const format of provenanceFormats) {
  test(`${format}: provenance in its envelope verifies, and no other run's or changed one does`, async () => {
    const run = await signed(built, keys.privateKey, 'simplesigning', format);
    assert.deepEqual(await failedChecks(run), []);
    const other = await signed(
      taskRun({ ...Object(built.object['status']), startTime: '2026-01-01T09:00:00Z' }),
      keys.privateKey,
      'simplesigning',
      format,
    );
    const annotations = { ...run.annotations };
    for (const part of ['payload', 'signature']) {
      const name = mark(`${part}-taskrun-${run.uid}`);
      annotations[name] = other.annotations[name] ?? '';
    }
    assert.deepEqual(await failedChecks(withAnnotations(run, annotations)), [`taskrun-${run.uid} content`]);
    const results = [
      { name: 'IMAGES', value: `gcr.io/acme/app@${digest('a')},gcr.io/acme/new@${digest('c')}` },
    ];
    const grown = parseRun({ ...run.object, status: { ...Object(built.object['status']), results } });
    assert.deepEqual(await failedChecks(grown), [`taskrun-${run.uid} subjects`]);
  });
}

test('an envelope around another payload, with several signatures or none, fails', async () => {
  const run = await signed(built, keys.privateKey, 'simplesigning', 'in-toto');
  const name = mark(`signature-taskrun-${run.uid}`);
  const envelope = JSON.parse(Buffer.from(run.annotations[name] ?? '', 'base64').toString());
  for (const changed of [
    { ...envelope, payload: Buffer.from('{}').toString('base64') },
    { ...envelope, payloadType: 'text/plain' },
    { ...envelope, signatures: [] },
    { ...envelope, signatures: [...envelope.signatures, ...envelope.signatures] },
    { ...envelope, signatures: [{ keyid: '', sig: 'AA==' }] },
  ]) {
    const stored = Buffer.from(JSON.stringify(changed)).toString('base64');
    const tampered = withAnnotations(run, { ...run.annotations, [name]: stored });
    assert.deepEqual(await failedChecks(tampered), [`taskrun-${run.uid} signature`]);
  }
});
