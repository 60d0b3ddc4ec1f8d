import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { parseConfig } from '../../src/config/parse.ts';
import { openTrust } from '../../src/sigstore/trust.ts';
import { openTuf } from '../../src/sigstore/tuf.ts';
import { startTufRepository, type TufRepository } from '../doubles/tuf.ts';

const { trustedRoot }: { trustedRoot: object } = JSON.parse(
  readFileSync(new URL('evidence.json', import.meta.url), 'utf8'),
);
const text = JSON.stringify(trustedRoot);
/** The same but for its address, to tell one from the other. */
const textOf = (log: string): string => {
  const { tlogs } = JSON.parse(text);
  return JSON.stringify({ ...trustedRoot, tlogs: [{ ...tlogs[0], baseUrl: log }] });
};

async function repository(context: TestContext): Promise<TufRepository> {
  const started = await startTufRepository({ trustedRoot: textOf('https://one'), version: 1 });
  context.after(() => started.gate.close());
  return started;
}

function opened(context: TestContext, mirror: string, root: Uint8Array | undefined) {
  const tuf = openTuf({ mirror, root });
  context.after(() => tuf.close());
  return tuf;
}

test('a trusted root comes from a TUF repository that begins with a root of ours', async (context) => {
  const { gate, root } = await repository(context);
  const tuf = opened(context, `${gate.url}/`, root);
  assert.deepEqual((await tuf.current()).logs, ['https://one']);
  const asked = gate.requests.length;
  await tuf.current();
  assert.equal(gate.requests.length, asked, 'it is not asked again within a day');
});

test('a root is followed through its rotations', async (context) => {
  const tufs = await repository(context);
  tufs.rotate();
  tufs.rotate();
  tufs.publish({ trustedRoot: textOf('https://two'), version: 2 });
  assert.deepEqual((await opened(context, tufs.gate.url, tufs.root).current()).logs, ['https://two']);
});

const attacks: Readonly<Record<string, (tufs: TufRepository) => void>> = {
  'metadata by another key': (tufs) =>
    tufs.publish({ trustedRoot: text, version: 2, forger: generateKeyPairSync('ed25519').privateKey }),
  'metadata that has expired': (tufs) =>
    tufs.publish({ trustedRoot: text, version: 2, expires: new Date(0) }),
  'another target than the metadata names': ({ files }) => {
    for (const name of files.keys()) if (name.startsWith('targets/')) files.set(name, Buffer.from('{}'));
  },
  'a target that is missing': ({ files }) => {
    for (const name of files.keys()) if (name.startsWith('targets/')) files.delete(name);
  },
  'a root that the one before did not sign': ({ files, root }) => {
    const other = JSON.parse(root.toString());
    files.set(
      '2.root.json',
      Buffer.from(JSON.stringify({ ...other, signed: { ...other.signed, version: 2 } })),
    );
  },
  'an endless file': ({ files }) => files.set('timestamp.json', Buffer.alloc(20_000, ' ')),
  'a page of a proxy': ({ files }) => files.set('timestamp.json', Buffer.from('<html>')),
};
for (const [what, attack] of Object.entries(attacks)) {
  test(`a TUF repository with ${what} is refused`, async (context) => {
    const tufs = await repository(context);
    attack(tufs);
    await assert.rejects(opened(context, tufs.gate.url, tufs.root).current(), {
      code: 'TRUSTED_ROOT_INVALID',
    });
  });
}

test('a mirror that fails, or goes back to what it was, changes nothing while what is known is valid', async (context) => {
  const tufs = await repository(context);
  tufs.publish({ trustedRoot: textOf('https://two'), version: 2 });
  const tuf = opened(context, tufs.gate.url, tufs.root);
  context.mock.timers.enable({ apis: ['Date'], now: Date.now() });
  await tuf.current();
  tufs.publish({ trustedRoot: textOf('https://one'), version: 1 });
  // Everything expires in a day, and is looked at again before that only when it is older than a day.
  context.mock.timers.tick(86_000_000);
  assert.deepEqual((await tuf.current()).logs, ['https://two']);
  context.mock.timers.tick(800_000);
  await assert.rejects(tuf.current(), { code: 'TRUSTED_ROOT_INVALID' });
});

const privateUrls = {
  'transparency.url': 'https://rekor.example.com',
  'signers.x509.fulcio.address': 'https://fulcio.example.com',
};

test('without a trusted root, a private service is not verified, which is reported; the public one always is', async () => {
  const trust = openTrust(parseConfig(privateUrls).config, { trustedRoot: undefined, tufRoot: undefined });
  assert.equal(await trust.of('transparency log', 'https://rekor.example.com'), undefined);
  assert.deepEqual(
    [...trust.notices],
    [
      'what the transparency log https://rekor.example.com answers is not verified, since no trusted root covers it; put one into the Secret signing-secrets as trusted_root.json',
    ],
  );
  await trust.close();
});

test('a trusted root in the Secret goes before everything, and must cover the public services that are used', async () => {
  const files = {
    trustedRoot: Buffer.from(JSON.stringify({ ...trustedRoot, tlogs: [] })),
    tufRoot: undefined,
  };
  const trust = openTrust(parseConfig({}).config, files);
  assert.ok(await trust.of('certificate authority', 'https://fulcio.example.com'));
  await assert.rejects(trust.of('transparency log', 'https://rekor.sigstore.dev'), {
    code: 'TRUSTED_ROOT_INVALID',
  });
  await trust.close();
});

test('another mirror without a root in the Secret is trusted on first use, which is said', async (context) => {
  const { gate, root } = await repository(context);
  const { config } = parseConfig({ ...privateUrls, 'signers.x509.tuf.mirror.url': gate.url });
  const [onFirstUse, begun] = [undefined, root].map((tufRoot) =>
    openTrust(config, { trustedRoot: undefined, tufRoot }),
  );
  assert.ok(onFirstUse && begun);
  for (const trust of [onFirstUse, begun])
    assert.ok(await trust.of('transparency log', 'https://rekor.example.com'));
  assert.match([...onFirstUse.notices].join(), /trusted on first use/);
  assert.equal(begun.notices.size, 0);
  await Promise.all([onFirstUse.close(), begun.close()]);
});
