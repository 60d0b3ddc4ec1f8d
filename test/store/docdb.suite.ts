import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { parseConfig } from '../../src/config/parse.ts';
import type { Json } from '../../src/json.ts';
import { openDocdbStore } from '../../src/store/docdb/index.ts';
import type { SignedArtifact } from '../../src/model/signature.ts';
import type { Store } from '../../src/store/index.ts';
import { combinations } from './entries.ts';
import { assertSigned, publicPem, signedEntry } from './named-entries.ts';
import { assertReadBack } from './read-back.ts';

/** A document as something that isn't our code reads it. */
export interface StoredDocument {
  readonly id: string;
  readonly Name: string;
  readonly Signed: Uint8Array;
  readonly Signature: string;
  readonly Cert: string;
  readonly Chain: string;
  readonly Object: unknown;
}

/** A database, or what stands for it, with an empty collection. */
export interface DatabaseUnderTest {
  /** The ConfigMap's keys that lead there. */
  readonly settings: Readonly<Record<string, string>>;
  readonly read: (id: string) => Promise<StoredDocument | undefined>;
  /** What go-cloud's docstore, with which another Chains reads, makes of a document: its fields, bytes in base64. */
  readonly readWithGoCloud?: (id: string) => Promise<unknown>;
  readonly count: () => Promise<number>;
  /** The keys that lead there by a way that can hang; `settings` where every way can. */
  readonly detour?: Readonly<Record<string, string>>;
  /** Whether that way takes requests and gives no answers. */
  readonly hang: (on: boolean) => void;
  /** It says to this many requests that there are too many. */
  readonly throttle?: (times: number) => void;
  /** Uses of the database that are refused, by why; each is given an entry to store. */
  readonly refused?: Readonly<Record<string, (entry: SignedArtifact) => Promise<unknown>>>;
  readonly close: () => Promise<void>;
}

/** What the suite knows of a kind of database. */
export interface DatabaseKind {
  readonly name: string;
  /** The largest document in bytes. */
  readonly limit: number;
  /** What this server, unlike the real database, has not: it refuses nobody, is never busy, or takes no dots and dollar signs in
   * names. */
  readonly without?: readonly ('credentials' | 'throttling' | 'dots')[];
  /** Whether go-cloud is there to read it. */
  readonly goCloud?: boolean;
  readonly start: () => Promise<DatabaseUnderTest>;
}

const mebibyte = 1024 * 1024;

/** What the store `docdb` does, on any database. */
export function docdbSuite({ name, limit, without = [], goCloud = false, start }: DatabaseKind): void {
  suite(`docdb on ${name}`, () => {
    let database: DatabaseUnderTest;
    let store: Store;
    before(async () => {
      database = await start();
      store = await openDocdbStore(parseConfig(database.settings).config);
    });
    after(async () => {
      await store.close?.();
      await database.close();
    });

    async function documentOf(id: string): Promise<StoredDocument> {
      const found = await database.read(id);
      assert.ok(found, `there is no ${id}`);
      return found;
    }

    for (const { kind, format } of combinations) {
      test(`${kind} in ${format}: one document, found by its key, and it verifies`, async () => {
        const run = `${kind}-${format.replace('/', '-')}`;
        const entry = await signedEntry(kind, format, { name: run });
        // Images of one digest have one key, whatever run built them.
        const key = kind === 'oci' ? 'aaaaaaaaaaaa' : `${kind}-uid-${run}`;
        assert.deepEqual(await store.store(entry), {});
        const { id, Name, Signed, Signature, Cert, Chain, Object: object } = await documentOf(key);
        assert.deepEqual({ id, Name, Cert, Chain }, { id: key, Name: key, Cert: '', Chain: '' });
        assertSigned(Signed, Buffer.from(Signature, 'base64'), entry.payload.dsseType !== undefined);
        assert.deepEqual(
          withoutEmpty(object),
          withoutEmpty(JSON.parse(Buffer.from(Signed).toString('utf8'))),
        );
      });
    }

    if (goCloud) {
      test('go-cloud reads what was written, with the fields of another Chains', async () => {
        const readWithGoCloud = database.readWithGoCloud ?? assert.fail();
        for (const [kind, format] of [
          ['taskrun', 'tekton'],
          ['pipelinerun', 'slsa/v2alpha3'],
        ] as const) {
          const entry = await signedEntry(kind, format, { name: 'elsewhere', text: 'é' });
          const certified = { ...entry.signature, certificate: 'CERT' };
          await store.store({ ...entry, signature: certified });
          assert.deepEqual(await readWithGoCloud(`${kind}-uid-elsewhere`), {
            Name: `${kind}-uid-elsewhere`,
            Signed: Buffer.from(entry.payload.bytes).toString('base64'),
            Signature: Buffer.from(entry.signature.bytes).toString('base64'),
            Cert: 'CERT',
            Chain: '',
            Object: JSON.parse(Buffer.from(entry.payload.bytes).toString('utf8')),
          });
        }
      });
    }

    test('a certificate and its chain are stored too', async () => {
      const entry = await signedEntry('taskrun', 'in-toto', { name: 'certified' });
      await store.store({ ...entry, signature: { ...entry.signature, certificate: 'CERT', chain: 'CHAIN' } });
      const { Cert, Chain } = await documentOf('taskrun-uid-certified');
      assert.deepEqual({ Cert, Chain }, { Cert: 'CERT', Chain: 'CHAIN' });
    });

    test('a retry adds nothing; what has changed is written over', async () => {
      const first = await signedEntry('taskrun', 'tekton', { name: 'again', text: 'first' });
      await store.store(first);
      const count = await database.count();
      await store.store(first);
      await store.store(await signedEntry('taskrun', 'tekton', { name: 'again', text: 'second' }));
      assert.equal(await database.count(), count);
      const { Signed, Signature } = await documentOf('taskrun-uid-again');
      assert.match(Buffer.from(Signed).toString('utf8'), /second/);
      assertSigned(Signed, Buffer.from(Signature, 'base64'), false);
    });

    test('of writers at the same time each writes a whole document', async () => {
      const count = await database.count();
      const entries = await Promise.all(
        Array.from({ length: 8 }, (_, index) =>
          signedEntry('taskrun', 'tekton', { name: 'raced', text: `${index}` }),
        ),
      );
      const results = await Promise.allSettled(entries.map((entry) => store.store(entry)));
      for (const result of results) {
        if (result.status === 'rejected') assert.equal(result.reason.code, 'STORE_UNAVAILABLE');
      }
      assert.equal(await database.count(), count + 1);
      const { Signed, Signature } = await documentOf('taskrun-uid-raced');
      assertSigned(Signed, Buffer.from(Signature, 'base64'), false);
    });

    test('names and texts of any script come back as they were', async () => {
      const text = 'é\u2028😀\u0001';
      const entry = await signedEntry('taskrun', 'tekton', { name: 'scripts', text });
      const payload = {
        text,
        'a.b/c$d': [1, 1.5, -0.25, 1e21, true, false, null, { b: [] }, {}],
        __proto__x: text,
      };
      const bytes = Buffer.from(JSON.stringify(payload));
      await store.store({ ...entry, payload: { ...entry.payload, bytes } });
      const { Signed, Object: object } = await documentOf('taskrun-uid-scripts');
      assert.deepEqual(Buffer.from(Signed), bytes);
      const { 'a.b/c$d': list, ...rest } = payload;
      assert.deepEqual(object, without.includes('dots') ? { ...rest, 'a．b/c＄d': list } : payload);
    });

    test('a run with annotations is stored, and verifies', async () => {
      const entry = await signedEntry('taskrun', 'tekton', { name: 'annotated' });
      const status: Json = JSON.parse(Buffer.from(entry.payload.bytes).toString('utf8'));
      const provenance = { annotations: { 'tekton.dev/pipelineTask': 'build', $schema: 'x' } };
      const bytes = Buffer.from(JSON.stringify({ ...Object(status), provenance }));
      await store.store({ ...entry, payload: { ...entry.payload, bytes } });
      const { Signed, Object: object } = await documentOf('taskrun-uid-annotated');
      assert.deepEqual(Buffer.from(Signed), bytes);
      const text = JSON.stringify(object);
      assert.ok(
        text.includes(without.includes('dots') ? 'tekton．dev/pipelineTask' : 'tekton.dev/pipelineTask'),
      );
    });

    test('what is stored is read back and verified; what is changed or missing there is not', async () => {
      for (const [format, run] of [
        ['slsa/v2alpha3', 'read-provenance'],
        ['tekton', 'read-status'],
      ] as const) {
        const own = await signedEntry('taskrun', format, { name: run });
        const image = await signedEntry('oci', 'simplesigning', { name: run });
        const { settings } = database;
        await assertReadBack(own, image, { name: 'docdb', store, settings, publicKey: publicPem });
      }
    });

    test('1 MiB is stored, or PAYLOAD_TOO_LARGE with the sizes; so is the limit itself', async () => {
      for (const size of [mebibyte, Math.floor(limit / 2) - 4096, limit]) {
        const entry = await signedEntry('taskrun', 'tekton', {
          name: `size-${size}`,
          text: 'x'.repeat(size),
        });
        if (2 * size < limit) {
          await store.store(entry);
          const { Signed, Signature } = await documentOf(`taskrun-uid-size-${size}`);
          assertSigned(Signed, Buffer.from(Signature, 'base64'), false);
        } else {
          await assert.rejects(store.store(entry), {
            code: 'PAYLOAD_TOO_LARGE',
            terminal: true,
            message: new RegExp(
              `taskrun-uid-size-${size}: its \\d+ bytes are more than the ${limit} bytes.*choose another store`,
            ),
          });
        }
      }
    });

    if (!without.includes('credentials')) {
      test('anyone who may not is STORE_REFUSED, and it may be tried again', async () => {
        const entry = await signedEntry('taskrun', 'tekton', { name: 'refused' });
        for (const [why, use] of Object.entries(database.refused ?? assert.fail())) {
          await assert.rejects(use(entry), { code: 'STORE_REFUSED', terminal: false }, why);
        }
      });
    }

    if (!without.includes('throttling')) {
      test('too many requests is STORE_UNAVAILABLE, and passes', async () => {
        const throttle = database.throttle ?? assert.fail();
        const entry = await signedEntry('taskrun', 'tekton', { name: 'throttled' });
        throttle(100);
        await assert.rejects(store.store(entry), { code: 'STORE_UNAVAILABLE' });
        throttle(0);
        await store.store(entry);
        await documentOf('taskrun-uid-throttled');
      });
    }

    test('a database that hangs is STORE_UNAVAILABLE after the timeout, and passes', {
      timeout: 60_000,
    }, async () => {
      const { config } = parseConfig(database.detour ?? database.settings);
      const impatient = await openDocdbStore(config, { timeout: 1_000 });
      await impatient.store(await signedEntry('taskrun', 'tekton', { name: 'before' }));
      const entry = await signedEntry('taskrun', 'tekton', { name: 'hanging' });
      database.hang(true);
      await assert.rejects(impatient.store(entry), { code: 'STORE_UNAVAILABLE' });
      database.hang(false);
      // What a driver knows of the server may be older than its recovery.
      while (
        !(await impatient.store(entry).then(
          () => true,
          () => false,
        ))
      );
      await documentOf('taskrun-uid-hanging');
      await impatient.close?.();
    });

    test('an abort ends the wait with its own reason', async () => {
      const reason = new Error('stop');
      const entry = await signedEntry('taskrun', 'tekton', { name: 'aborted' });
      await assert.rejects(store.store(entry, AbortSignal.abort(reason)), reason);
    });
  });
}

/** Stores an entry in a store of its own with these settings. */
export async function storeOnce(
  settings: Readonly<Record<string, string>>,
  entry: SignedArtifact,
  timeout?: number,
): Promise<void> {
  const store = await openDocdbStore(parseConfig(settings).config, timeout === undefined ? {} : { timeout });
  try {
    await store.store(entry);
  } finally {
    await store.close?.();
  }
}

/** DynamoDB's documents have NULL for an empty text, as go-cloud writes it. */
function withoutEmpty(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_, one: unknown) => (one === '' ? null : one)));
}
