import assert from 'node:assert/strict';
import { createHash, createPublicKey } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { parseConfig } from '../../src/config/parse.ts';
import { verify } from '../../src/index.ts';
import { at, type Json, member } from '../../src/json.ts';
import { openGrafeasStore } from '../../src/store/grafeas/index.ts';
import { stores } from '../../src/store/index.ts';
import { atApi } from '../doubles/google.ts';
import { type Grafeas, startGrafeas } from '../doubles/grafeas.ts';
import { digest } from '../runs.ts';
import { assertVerifies, combinations, image, signedArtifact } from './entries.ts';

const settings = { 'storage.grafeas.projectid': 'acme', 'storage.grafeas.noteid': 'chains' };
const provenance = { kind: 'taskrun', format: 'in-toto' } as const;
const signature = { kind: 'oci', format: 'simplesigning' } as const;

async function start(context: TestContext, more: object = {}, options?: { timeout: number }) {
  const grafeas = await startGrafeas(context);
  const open = async () => {
    const store = await openGrafeasStore(parseConfig({ ...settings, ...more }).config, options);
    context.after(() => store.close?.());
    return store;
  };
  return { grafeas, open, store: await open() };
}

const bytes = (base64: Json | undefined) => Buffer.from(String(base64), 'base64');
const urisOf = ({ occurrences }: Grafeas) => occurrences.map((one) => member(one, 'resourceUri'));
const first = (list: Json | undefined, key: string) =>
  Array.isArray(list) ? member(list[0], key) : undefined;

for (const wanted of combinations.filter(({ format }) => format !== 'tekton')) {
  test(`${wanted.kind} in ${wanted.format}: one occurrence of its note, which verifies as it is read back`, async (context) => {
    const { grafeas, store } = await start(context);
    const entry = await signedArtifact(wanted);
    assert.deepEqual(await store.store(entry), {});
    const [occurrence] = grafeas.occurrences;
    assert.deepEqual(urisOf(grafeas), [image]);
    const note = wanted.kind === 'oci' ? 'chains-simplesigning' : `chains-${wanted.kind}-intoto`;
    assert.deepEqual([...grafeas.notes.keys()], [`projects/acme/notes/${note}`]);
    const envelope = member(occurrence, 'envelope');
    if (wanted.kind === 'oci') {
      const attestation = member(occurrence, 'attestation');
      const given = bytes(first(member(attestation, 'signatures'), 'signature'));
      assertVerifies(entry, given, bytes(member(attestation, 'serializedPayload')));
      assert.deepEqual(bytes(first(member(envelope, 'signatures'), 'sig')), given);
    } else {
      assertVerifies(entry, Buffer.from(JSON.stringify(envelope)));
    }
  });
}

for (const wanted of combinations.filter(({ format }) => format === 'tekton')) {
  test(`${wanted.kind} in tekton has no place here: the error names the key`, async (context) => {
    const { grafeas, store } = await start(context);
    await assert.rejects(store.store(await signedArtifact(wanted)), {
      code: 'CONFIG_INVALID',
      terminal: true,
      message: new RegExp(
        `^artifacts\\.${wanted.kind}\\.format is \`tekton\`.*choose \`(in-toto|simplesigning)\``,
      ),
    });
    assert.equal(grafeas.requests.length, 0);
  });
}

test('a run and its image are verified by the occurrences for what it built', async (context) => {
  const { grafeas, store } = await start(context);
  const images = ['a', 'b'].map((digit) => `gcr.io/acme/${digit}${digit}@${digest(digit)}`);
  const own = await signedArtifact({ kind: 'taskrun', format: 'slsa/v2alpha3', images });
  const failures = async () => {
    const { checks } = await verify({
      run: own.artifact.run.object,
      keys: [own.signature.key.publicKey],
      stores: ['grafeas'],
      config: { ...settings, 'artifacts.oci.storage': 'grafeas' },
    });
    return checks.filter(({ ok }) => !ok).map(({ name, reason }) => `${name}: ${reason}`);
  };
  const place = (note: string, uri: string) =>
    `nothing is stored at projects/acme/notes/chains-${note} for ${uri}`;
  const run = `grafeas ${own.artifact.key}`;
  const ofImages = [
    `grafeas aaaaaaaaaaaa stored: ${place('simplesigning', images[0] ?? '')}`,
    `grafeas bbbbbbbbbbbb stored: ${place('simplesigning', images[1] ?? '')}`,
  ];
  assert.deepEqual(await failures(), [
    ...images.map((uri) => `${run} stored: ${place('taskrun-intoto', uri)}`),
    ...ofImages,
  ]);
  await store.store(own);
  assert.deepEqual(await failures(), ofImages);
  for (const one of images) await store.store(await signedArtifact({ ...signature, images: [one] }));
  assert.deepEqual(await failures(), []);

  // One that somebody else wrote counts for nothing, and does no harm.
  await store.store(await signedArtifact({ ...signature, images: images.slice(0, 1), key: 'RSA' }));
  assert.deepEqual(await failures(), []);
  const occurrence = JSON.parse(JSON.stringify(grafeas.occurrences[0]));
  occurrence.envelope.signatures[0].sig = btoa('forged');
  grafeas.occurrences.splice(0, 1, occurrence);
  assert.match((await failures())[0] ?? '', new RegExp(`^${run} signature: `));
});

test('the notes say what they are for', async (context) => {
  const { grafeas, store } = await start(context, { 'storage.grafeas.notehint': 'our images' });
  for (const wanted of [signature, provenance]) await store.store(await signedArtifact(wanted));
  const note = (id: string) => grafeas.notes.get(`projects/acme/notes/${id}`);
  assert.equal(at(note('chains-simplesigning'), 'attestation', 'hint', 'humanReadableName'), 'our images');
  assert.equal(at(note('chains-taskrun-intoto'), 'build', 'builderVersion'), 'tekton.dev/v1/TaskRun');
});

test('a build shows its statement in the fields of its predicate', async (context) => {
  const { grafeas, store } = await start(context);
  await store.store(await signedArtifact(provenance));
  await store.store(await signedArtifact({ kind: 'pipelinerun', format: 'slsa/v2alpha4' }));
  const [v02, v1] = grafeas.occurrences.map((one) => member(one, 'build'));
  const builder = 'https://tekton.dev/chains/v2';
  assert.equal(at(v02, 'intotoStatement', 'slsaProvenanceZeroTwo', 'builder', 'id'), builder);
  assert.equal(at(v1, 'inTotoSlsaProvenanceV1', 'predicate', 'runDetails', 'builder', 'id'), builder);
  assert.equal(at(v1, 'inTotoSlsaProvenanceV1', '_type'), 'https://in-toto.io/Statement/v1');
});

test('every artifact URI gets an occurrence; a run without outputs gets none', async (context) => {
  const { grafeas, store } = await start(context);
  const images = ['a', 'b', 'c'].map((digit) => `gcr.io/acme/${digit}${digit}@${digest(digit)}`);
  await store.store(await signedArtifact({ ...provenance, images }));
  assert.deepEqual(urisOf(grafeas), images);
  await store.store(await signedArtifact({ ...provenance, images: [] }));
  assert.equal(grafeas.occurrences.length, 3);
});

test('without a noteid the notes are named for the namespace', async (context) => {
  const { grafeas, store } = await start(context, { 'storage.grafeas.noteid': '' });
  await store.store(await signedArtifact({ ...provenance, namespace: 'team' }));
  assert.deepEqual([...grafeas.notes.keys()], ['projects/acme/notes/tekton-team-taskrun-intoto']);
});

test("verifiers find the key by its digest, or by the KMS's name for it", async (context) => {
  const { grafeas, store } = await start(context);
  const entry = await signedArtifact(signature);
  await store.store(entry);
  const der = createPublicKey(entry.signature.key.publicKey).export({ type: 'spki', format: 'der' });
  const names = () =>
    grafeas.occurrences.map((one) => first(at(one, 'attestation', 'signatures'), 'publicKeyId'));
  assert.deepEqual(names(), [`ni:///sha-256;${createHash('sha256').update(der).digest('base64url')}`]);
  const kmsref = 'gcpkms://projects/p/locations/l/keyRings/r/cryptoKeys/k';
  const kms = { ...settings, 'artifacts.oci.signer': 'kms', 'signers.kms.kmsref': kmsref };
  const byKms = await openGrafeasStore(parseConfig(kms).config);
  context.after(() => byKms.close?.());
  await byKms.store(entry);
  assert.equal(names()[1], kmsref);
});

for (const key of ['ECDSA P-256', 'Ed25519']) {
  test(`signed again with the same key (${key}), by another controller too, nothing is added; with another key, one is`, async (context) => {
    const { grafeas, open, store } = await start(context);
    for (const wanted of [signature, provenance]) {
      await store.store(await signedArtifact({ ...wanted, key }));
      await store.store(await signedArtifact({ ...wanted, key }));
      await (await open()).store(await signedArtifact({ ...wanted, key }));
    }
    assert.equal(grafeas.occurrences.length, 2);
    await store.store(await signedArtifact({ ...signature, key: 'RSA' }));
    await store.store(await signedArtifact({ ...signature, key: 'RSA' }));
    assert.equal(grafeas.occurrences.length, 3);
  });
}

test("an occurrence that somebody else wrote under our key's name is ignored", async (context) => {
  const { grafeas, store } = await start(context);
  for (const wanted of [signature, provenance]) {
    const entry = await signedArtifact(wanted);
    await store.store(entry);
    const [name = ''] = [...grafeas.notes.keys()].slice(-1);
    const forged = JSON.parse(JSON.stringify(grafeas.occurrences.at(-1)));
    forged.envelope.signatures[0].sig = btoa('forged');
    grafeas.occurrences.splice(-1, 1, forged);
    await store.store(entry);
    assert.equal(grafeas.occurrences.filter(({ noteName }) => noteName === name).length, 2);
  }
});

test('what is looked for is found on a later page', async (context) => {
  const { grafeas, store } = await start(context);
  for (const key of ['RSA', 'ECDSA P-256', 'ECDSA P-384', 'ECDSA P-384']) {
    await store.store(await signedArtifact({ ...signature, key }));
  }
  assert.equal(grafeas.occurrences.length, 3);
});

test('half of the URIs written, the next try writes the rest', async (context) => {
  const { grafeas, store } = await start(context);
  const images = ['a', 'b'].map((digit) => `gcr.io/acme/${digit}${digit}@${digest(digit)}`);
  const entry = await signedArtifact({ ...provenance, images });
  let writes = 0;
  grafeas.trouble = ({ method, url }) => {
    if (method !== 'POST' || !url.pathname.endsWith('/occurrences')) return undefined;
    writes += 1;
    return writes === 2 ? 'hang up' : undefined;
  };
  await assert.rejects(store.store(entry), { code: 'STORE_UNAVAILABLE' });
  assert.deepEqual(urisOf(grafeas), images.slice(0, 1));
  await store.store(entry);
  assert.deepEqual(urisOf(grafeas), images);
});

test('a note that another controller creates at the same moment is taken; one that vanishes is created again', async (context) => {
  const { grafeas, store } = await start(context);
  const name = 'projects/acme/notes/chains-simplesigning';
  grafeas.trouble = atApi({ status: 404 });
  grafeas.notes.set(name, { name, attestation: {} });
  await store.store(await signedArtifact(signature));
  grafeas.notes.delete(name);
  const another = await signedArtifact({ ...signature, key: 'RSA' });
  await assert.rejects(store.store(another), { code: 'STORE_REFUSED', status: 404 });
  await store.store(another);
  assert.ok(grafeas.notes.has(name));
});

test('credentials that are wrong, may not write or are missing are refused by name; better ones are taken up', async (context) => {
  const { grafeas, open } = await start(context);
  const entry = await signedArtifact(signature);
  await grafeas.signInAs('stranger');
  await assert.rejects((await open()).store(entry), {
    code: 'STORE_REFUSED',
    message: /access token: .*(invalid_grant|Invalid JWT)/,
  });
  await grafeas.signInAs('reader');
  await assert.rejects((await open()).store(entry), {
    code: 'STORE_REFUSED',
    status: 403,
    message: /create projects/,
  });
  process.env['GOOGLE_APPLICATION_CREDENTIALS'] = '/nowhere';
  await assert.rejects((await open()).store(entry), {
    code: 'STORE_REFUSED',
    message: /\/nowhere.*set GOOGLE_APPLICATION_CREDENTIALS/,
  });
  await grafeas.signInAs('writer');
  const store = await open();
  await store.store(entry);
  grafeas.revokeTokens();
  await assert.rejects(store.store(entry), { code: 'STORE_REFUSED', status: 401 });
  await store.store(entry);
  assert.equal(grafeas.occurrences.length, 1);
});

test('a project that is not there, or not ours, is refused', async (context) => {
  const { store } = await start(context, { 'storage.grafeas.projectid': 'other' });
  await assert.rejects(store.store(await signedArtifact(signature)), {
    code: 'STORE_REFUSED',
    terminal: false,
    message: /look for projects\/other\/notes\/chains-simplesigning: 403 PERMISSION_DENIED/,
  });
});

test('throttled or broken, it says so with the pause that is asked for, and goes well after', async (context) => {
  const { grafeas, store } = await start(context);
  const entry = await signedArtifact(signature);
  const cases = [
    [
      { status: 429, headers: { 'retry-after': '3' } },
      { code: 'STORE_UNAVAILABLE', retryAfter: 3_000 },
    ],
    [
      { status: 503, text: 'unavailable' },
      { code: 'STORE_UNAVAILABLE', status: 503 },
    ],
    ['hang up', { code: 'STORE_UNAVAILABLE', message: /no answer/ }],
    [{ status: 413 }, { code: 'PAYLOAD_TOO_LARGE', terminal: true }],
  ] as const;
  for (const [give, expected] of cases) {
    grafeas.trouble = atApi(give);
    await assert.rejects(store.store(entry), expected);
  }
  await store.store(entry);
  assert.equal(grafeas.occurrences.length, 1);
});

test("a server that never answers is given up, be it the API's or the token's, and one that is waited for no longer", async (context) => {
  const { grafeas, store } = await start(context, {}, { timeout: 1_000 });
  const entry = await signedArtifact(signature);
  grafeas.trouble = () => 'hang';
  await assert.rejects(store.store(entry), {
    code: 'STORE_UNAVAILABLE',
    message: /get an access token: no answer within 1 s$/,
  });
  grafeas.trouble = atApi('hang', Infinity);
  await assert.rejects(store.store(entry), {
    code: 'STORE_UNAVAILABLE',
    message: /look for projects\/acme\/notes\/chains-simplesigning: no answer within 1 s$/,
  });
  const reason = new Error('stopped');
  await assert.rejects(store.store(entry, AbortSignal.abort(reason)), reason);
});

test('a payload of 1 MiB is stored', async (context) => {
  const { grafeas, store } = await start(context);
  const entry = await signedArtifact({ ...provenance, padding: 1024 * 1024 });
  await store.store(entry);
  assertVerifies(entry, Buffer.from(JSON.stringify(member(grafeas.occurrences[0], 'envelope'))));
});

test('without storage.grafeas.projectid it does not open', async () => {
  const open = await stores.grafeas();
  await assert.rejects(open(parseConfig({}).config), {
    code: 'CONFIG_INVALID',
    message: /^storage\.grafeas\.projectid is not set/,
  });
});
