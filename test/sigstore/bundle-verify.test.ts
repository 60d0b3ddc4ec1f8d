import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { isJsonList, type Json, textIn } from '../../src/json.ts';
import { identityJudge } from '../../src/sigstore/identity-policy.ts';
import { type BundledArtifact, type BundleOptions, verifyBundle } from '../../src/verify/bundle.ts';
import { readPublicKey } from '../../src/verify/public-key.ts';
import {
  changed,
  identity,
  issuer,
  publicKey,
  recordedCases,
  recordedRoot,
  recordedTrustedRoot,
  type RecordedCase,
} from './recorded.ts';

const key = await readPublicKey(publicKey);
/** What the recorded statements name, and nobody has the bytes of. */
const image: BundledArtifact = { sha256: Buffer.from('a'.repeat(64), 'hex') };

const artifactOf = ({ payload, signature }: RecordedCase): BundledArtifact =>
  signature[0] === 0x7b ? image : { bytes: payload };

function optionsFor({ certificate }: RecordedCase, root = recordedRoot()): BundleOptions {
  const policy = { certificateIdentity: identity, certificateOidcIssuer: issuer };
  return {
    keys: certificate === '' ? [key] : [],
    expected: {},
    evidence: {
      ...{
        root: async () => root,
        isRootGiven: true,
        requireLog: true,
        requireTimestamp: true,
        mayAsk: false,
      },
      identity: certificate === '' ? undefined : identityJudge(policy),
    },
  };
}

const bytesOf = (json: Json | undefined): Uint8Array => Buffer.from(JSON.stringify(json));
const verify = (one: RecordedCase, json: Json | undefined = one.bundle, options = optionsFor(one)) =>
  verifyBundle(bytesOf(json), artifactOf(one), options);
const flipped = (value: Json): Json => {
  const bytes = Buffer.from(textIn(value), 'base64');
  bytes[bytes.length - 3] = (bytes.at(-3) ?? 0) ^ 1;
  return bytes.toString('base64');
};

for (const one of recordedCases) {
  test(`a bundle verifies: ${one.name}`, async () => {
    const { verified, checks } = await verify(one);
    assert.deepEqual(
      checks.filter(({ ok }) => !ok),
      [],
    );
    assert.equal(verified, true);
  });

  const entry = ['verificationMaterial', 'tlogEntries', 0] as const;
  const isV1 = one.name.includes(', v1');
  const changes: readonly (readonly [
    string,
    readonly (string | number)[],
    (value: Json) => Json | undefined,
  ])[] = [
    ['another entry body', [...entry, 'canonicalizedBody'], flipped],
    ['another kind of entry', [...entry, 'kindVersion', 'version'], () => '0.0.9'],
    [
      'another root',
      [...entry, 'inclusionProof', 'checkpoint', 'envelope'],
      (text) => textIn(text).replace(/\n\d+\n/, '\n1\n'),
    ],
    ['hashes of another tree', [...entry, 'inclusionProof', 'hashes'], () => []],
    ['no log entry', ['verificationMaterial', 'tlogEntries'], () => []],
    [
      'the entry twice',
      ['verificationMaterial', 'tlogEntries'],
      (list: Json) => (isJsonList(list) ? [...list, ...list] : list),
    ],
    [
      'another timestamp',
      ['verificationMaterial', 'timestampVerificationData', 'rfc3161Timestamps', 0, 'signedTimestamp'],
      flipped,
    ],
    ['no timestamp', ['verificationMaterial', 'timestampVerificationData'], () => undefined],
    ['another media type', ['mediaType'], () => 'application/json'],
    ...(isV1
      ? ([
          ['another time', [...entry, 'integratedTime'], (time: Json) => String(Number(time) + 1)],
          ['another promise', [...entry, 'inclusionPromise', 'signedEntryTimestamp'], flipped],
          ['another index', [...entry, 'logIndex'], (index: Json) => String(Number(index) + 1)],
        ] as const)
      : []),
    ...(one.signature[0] === 0x7b
      ? ([
          ['another payload', ['dsseEnvelope', 'payload'], flipped],
          ['another payload type', ['dsseEnvelope', 'payloadType'], () => 'text/plain'],
          [
            'two signatures',
            ['dsseEnvelope', 'signatures'],
            (list: Json) => (isJsonList(list) ? [...list, ...list] : list),
          ],
          ['no signature', ['dsseEnvelope', 'signatures'], () => []],
        ] as const)
      : ([
          ['another digest', ['messageSignature', 'messageDigest', 'digest'], flipped],
          ['a digest of another kind', ['messageSignature', 'messageDigest', 'algorithm'], () => 'SHA2_512'],
          ['another signature', ['messageSignature', 'signature'], flipped],
        ] as const)),
  ];
  for (const [what, path, change] of changes) {
    test(`a bundle with ${what} is refused: ${one.name}`, async () => {
      assert.equal((await verify(one, changed(one.bundle, path, change))).verified, false);
    });
  }

  test(`evidence of another signature is refused: ${one.name}`, async () => {
    const other = recordedCases.find(
      (another) =>
        another !== one &&
        another.certificate === one.certificate &&
        another.name.includes(isV1 ? ', v1' : ', v2'),
    );
    assert.ok(other);
    const swapped = changed(
      one.bundle,
      ['verificationMaterial'],
      () => other.bundle['verificationMaterial'] ?? null,
    );
    const { verified, checks } = await verify(one, swapped);
    assert.equal(verified, false);
    assert.ok(
      checks.some(({ name, reason }) => name === 'log' && reason.startsWith('the log entry is of another')),
    );
  });

  for (const part of [
    'tlogs',
    'timestampAuthorities',
    ...(one.certificate === '' ? [] : ['certificateAuthorities']),
  ]) {
    test(`a trusted root without ${part} proves nothing: ${one.name}`, async () => {
      const root = recordedRoot({ [part]: [] });
      assert.equal((await verify(one, one.bundle, optionsFor(one, root))).verified, false);
    });
  }

  test(`another artifact is refused: ${one.name}`, async () => {
    const { verified } = await verifyBundle(
      bytesOf(one.bundle),
      { bytes: Buffer.from('other') },
      optionsFor(one),
    );
    assert.equal(verified, false);
  });
}

test('a certificate that the log of certificates in the trusted root has not promised to keep is refused', async () => {
  const keyless = recordedCases.find(({ certificate }) => certificate !== '');
  assert.ok(keyless);
  const { publicKey: other } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const der = other.export({ format: 'der', type: 'spki' });
  const root = recordedRoot({
    ctlogs: [
      {
        baseUrl: 'https://ctfe.example.com',
        hashAlgorithm: 'SHA2_256',
        publicKey: {
          rawBytes: der.toString('base64'),
          keyDetails: 'PKIX_ECDSA_P256_SHA_256',
          validFor: { start: '2020-01-01T00:00:00Z' },
        },
        logId: { keyId: createHash('sha256').update(der).digest('base64') },
      },
    ],
  });
  const { verified, checks } = await verify(keyless, keyless.bundle, optionsFor(keyless, root));
  assert.equal(verified, false);
  assert.ok(
    checks.some(({ name, reason }) => name === 'identity' && reason.includes('SCT')),
    JSON.stringify(checks),
  );
});

test('a log that proves no time must have been valid when the timestamp was made', async () => {
  const { tlogs } = recordedTrustedRoot;
  for (const one of recordedCases.filter(({ name }) => name.includes(', v2'))) {
    const until = (end: string) =>
      recordedRoot({
        tlogs: tlogs.map((log) => changed(log, ['publicKey', 'validFor', 'end'], () => end) ?? null),
      });
    assert.equal(
      (await verify(one, one.bundle, optionsFor(one, until('2099-01-01T00:00:00Z')))).verified,
      true,
    );
    assert.equal(
      (await verify(one, one.bundle, optionsFor(one, until('2025-06-01T00:00:00Z')))).verified,
      false,
    );
  }
});

test('what is signed bare verifies by its digest alone, as other clients of Sigstore take it', async () => {
  for (const one of recordedCases.filter(({ signature }) => signature[0] !== 0x7b)) {
    const sha256 = createHash('sha256').update(one.payload).digest();
    const { verified, checks } = await verifyBundle(bytesOf(one.bundle), { sha256 }, optionsFor(one));
    assert.equal(verified, true, JSON.stringify(checks));
  }
});

test('a certificate of somebody else is refused, and one with the key that was given', async () => {
  const [keyless, own] = [
    recordedCases.find(({ certificate }) => certificate !== ''),
    recordedCases.find(({ certificate }) => certificate === ''),
  ];
  assert.ok(keyless && own);
  const policies = [
    { certificateIdentity: 'https://example.com/somebody', certificateOidcIssuer: issuer },
    { certificateIdentity: identity, certificateOidcIssuer: 'https://example.com' },
    {
      certificateIdentityRegexp: identity.slice(0, -1).replaceAll('.', '\\.'),
      certificateOidcIssuer: issuer,
    },
    { certificateIdentityRegexp: identity.slice(1).replaceAll('.', '\\.'), certificateOidcIssuer: issuer },
  ];
  for (const policy of policies) {
    const options = optionsFor(keyless);
    const evidence = { ...options.evidence, identity: identityJudge(policy) };
    assert.equal((await verify(keyless, keyless.bundle, { ...options, evidence })).verified, false);
  }
  const matching = {
    certificateIdentityRegexp: 'https://kubernetes\\.io/namespaces/[a-z-]+/.*',
    certificateOidcIssuerRegexp: 'http://127\\.0\\.0\\.1:\\d+',
  };
  const options = optionsFor(keyless);
  const evidence = { ...options.evidence, identity: identityJudge(matching) };
  assert.equal((await verify(keyless, keyless.bundle, { ...options, evidence })).verified, true);
  // A key does for what it signed, not for what a certificate's key signed.
  assert.equal((await verify(keyless, keyless.bundle, optionsFor(own))).verified, false);
});

test('with the root that is shipped, evidence of a private log is left out with a note, unless it is demanded', async () => {
  const own = recordedCases.find(({ certificate }) => certificate === '');
  assert.ok(own);
  const { shippedTrustedRoot } = await import('../../src/sigstore/trust.ts');
  const options = optionsFor(own, shippedTrustedRoot());
  const lenient = { ...options.evidence, isRootGiven: false, requireLog: false, requireTimestamp: false };
  const { verified, notes } = await verify(own, own.bundle, { ...options, evidence: lenient });
  assert.equal(verified, true);
  assert.deepEqual(
    notes.map((note) => note.replace(/:.*/, '')),
    ['log', 'timestamp'],
  );
  const strict = { ...lenient, requireLog: true };
  assert.equal((await verify(own, own.bundle, { ...options, evidence: strict })).verified, false);
});

test('what a log that is known did not say is refused with a key too, whether or not the root was given', async () => {
  const own = recordedCases.find(({ name, certificate }) => certificate === '' && name.includes(', v1'));
  assert.ok(own);
  const options = optionsFor(own);
  const lenient = { ...options.evidence, isRootGiven: false, requireLog: false, requireTimestamp: false };
  const path = ['verificationMaterial', 'tlogEntries', 0, 'inclusionPromise', 'signedEntryTimestamp'];
  const { verified } = await verify(own, changed(own.bundle, path, flipped), {
    ...options,
    evidence: lenient,
  });
  assert.equal(verified, false);
});

for (const [what, text] of [
  ['no JSON', 'x'],
  ['a list', '[]'],
  ['nothing in it', '{}'],
  ['a thousand lists in each other', `${'['.repeat(1_000)}${']'.repeat(1_000)}`],
] as const) {
  test(`what is not a bundle is refused in one line: ${what}`, async () => {
    const [one] = recordedCases;
    assert.ok(one);
    const { verified, checks } = await verifyBundle(Buffer.from(text), image, optionsFor(one));
    assert.equal(verified, false);
    assert.match(checks[0]?.reason ?? '', /^it is not a Sigstore bundle: [^\n]+$/);
  });
}
