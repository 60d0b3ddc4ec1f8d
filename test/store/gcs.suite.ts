import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { parseConfig } from '../../src/config/parse.ts';
import { openGcsReader, openGcsStore } from '../../src/store/gcs/index.ts';
import type { Store } from '../../src/store/index.ts';
import type { Gate, GateRequest } from '../doubles/gate.ts';
import { combinations } from './entries.ts';
import { assertSigned, publicPem, signedEntry } from './named-entries.ts';
import { assertReadBack } from './read-back.ts';

/** A Cloud Storage, or what stands for it, with the bucket `chains` and what reads it without our code. */
export interface GcsUnderTest {
  /** What all requests pass through. */
  readonly gate: Gate;
  read(name: string): Promise<{ readonly bytes: Buffer; readonly generation: string } | undefined>;
  /** The names of all objects that begin so. */
  list(prefix: string): Promise<readonly string[]>;
  close(): Promise<void>;
}

const mebibyte = 1024 * 1024;
const isWrite = ({ method }: GateRequest) => method === 'POST' || method === 'PUT';
/** A piece of a resumable upload. */
export const isPiece = ({ method, body }: GateRequest): boolean => method === 'PUT' && body.length > 0;
const tooMany = {
  status: 429,
  headers: { 'retry-after': '7' },
  json: {
    error: { code: 429, message: 'The object exceeded the rate limit for object mutation operations.' },
  },
};

/** The store `gcs` on a bucket. */
export function openBucket(name: string, options?: { readonly timeout: number }): Promise<Store> {
  return openGcsStore(parseConfig({ 'storage.gcs.bucket': name }).config, options);
}

/** What the store `gcs` does, on any Cloud Storage. */
export function gcsSuite(name: string, start: () => Promise<GcsUnderTest>): void {
  suite(`gcs on ${name}`, () => {
    let gcs: GcsUnderTest;
    let store: Store;
    before(async () => {
      gcs = await start();
      store = await openBucket('chains');
    });
    after(async () => {
      await store.close?.();
      await gcs.close();
    });
    const bytesOf = async (object: string) => (await gcs.read(object))?.bytes;
    const writes = () => gcs.gate.requests.filter(isWrite).length;

    for (const { kind, format } of combinations) {
      test(`${kind} in ${format}: payload and signature are there, and verify`, async () => {
        const run = `all-${format.replace('/', '-')}`;
        const entry = await signedEntry(kind, format, { name: run });
        assert.deepEqual(await store.store(entry), {});
        const folder = `${kind === 'pipelinerun' ? 'pipelinerun' : 'taskrun'}-ci-${run}`;
        const key = kind === 'oci' ? 'aaaaaaaaaaaa' : `${kind}-uid-${run}`;
        const stored = (await gcs.list(`${folder}/${key}.`)).toSorted();
        assert.deepEqual(stored, [`${folder}/${key}.payload`, `${folder}/${key}.signature`]);
        const [payload, signature] = await Promise.all(stored.map(bytesOf));
        assertSigned(payload, signature, entry.payload.dsseType !== undefined);
      });
    }

    test('what is stored is read back and verified; what is changed or missing there is not', async () => {
      const own = await signedEntry('taskrun', 'slsa/v2alpha3', { name: 'read-back' });
      const image = await signedEntry('oci', 'simplesigning', { name: 'read-back' });
      const settings = { 'storage.gcs.bucket': 'chains' };
      const pipelineRun = await signedEntry('pipelinerun', 'in-toto', { name: 'read-back' });
      const reading = { name: 'gcs', store, settings, publicKey: publicPem } as const;
      await assertReadBack(own, image, reading);
      await assertReadBack(pipelineRun, undefined, reading);
    });

    test("a run's uids are found by its name", async () => {
      const entry = await signedEntry('taskrun', 'tekton', { name: 'renewed' });
      for (const uid of ['first', 'second', 'third'])
        await store.store({ ...entry, artifact: { ...entry.artifact, key: `taskrun-${uid}` } });
      const reader = await openGcsReader(parseConfig({ 'storage.gcs.bucket': 'chains' }).config);
      assert.deepEqual(await reader.uids?.(entry.artifact.run), ['first', 'second', 'third']);
      await reader.close();
    });

    test('a certificate and its chain are stored too, and go when the next signature has none', async () => {
      const entry = await signedEntry('taskrun', 'in-toto', { name: 'certified' });
      const certified = { ...entry.signature, certificate: 'CERT', chain: 'CHAIN', bytes: Buffer.from('{}') };
      await store.store({ ...entry, signature: certified });
      const object = 'taskrun-ci-certified/taskrun-uid-certified';
      assert.equal(String(await bytesOf(`${object}.cert`)), 'CERT');
      assert.equal(String(await bytesOf(`${object}.chain`)), 'CHAIN');
      await store.store(entry);
      assert.deepEqual((await gcs.list(`${object}.`)).toSorted(), [
        `${object}.payload`,
        `${object}.signature`,
      ]);
    });

    test('a retry writes nothing; what has changed is written over', async () => {
      const first = await signedEntry('taskrun', 'tekton', { name: 'again', text: 'first' });
      await store.store(first);
      const object = 'taskrun-ci-again/taskrun-uid-again';
      const seen = await gcs.read(`${object}.signature`);
      const before = writes();
      await store.store(first);
      assert.equal(writes(), before);
      assert.equal((await gcs.read(`${object}.signature`))?.generation, seen?.generation);

      await store.store(await signedEntry('taskrun', 'tekton', { name: 'again', text: 'second' }));
      const payload = await bytesOf(`${object}.payload`);
      assertSigned(payload, await bytesOf(`${object}.signature`), false);
      assert.notDeepEqual(payload, Buffer.from(first.payload.bytes));
    });

    test('where an answer is lost after the write, the retry finds it and writes nothing twice', async () => {
      const entry = await signedEntry('taskrun', 'tekton', { name: 'lost' });
      gcs.gate.trouble = { happens: 'breaks after it is done', times: 1, when: isWrite };
      await assert.rejects(store.store(entry), { code: 'STORE_UNAVAILABLE', terminal: false });
      const before = writes();
      await store.store(entry);
      assert.equal(writes(), before + 1);
      assert.equal((await gcs.list('taskrun-ci-lost/')).length, 2);
    });

    test('of writers at the same time one wins, and what they leave is one whole entry', async () => {
      const entry = await signedEntry('oci', 'simplesigning', { name: 'raced' });
      const others = Array.from({ length: 5 }, (_, index) => ({
        ...entry,
        signature: { ...entry.signature, bytes: Buffer.from(`signature ${index}`) },
      }));
      const results = await Promise.allSettled(others.map((other) => store.store(other)));
      const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
      assert.ok(failures.length < others.length);
      for (const failure of failures) assert.equal(failure.code, 'STORE_UNAVAILABLE');
      await store.store(entry);
      const object = 'taskrun-ci-raced/aaaaaaaaaaaa';
      assertSigned(await bytesOf(`${object}.payload`), await bytesOf(`${object}.signature`), false);
    });

    test('a payload of 1 MiB goes in one request, one of 17 MiB in pieces', async () => {
      for (const [run, size, pieces] of [
        ['mebibyte', mebibyte, 0],
        ['large', 17 * mebibyte, 3],
      ] as const) {
        const entry = await signedEntry('taskrun', 'tekton', { name: run, text: 'x'.repeat(size) });
        const before = gcs.gate.requests.filter(isPiece).length;
        await store.store(entry);
        assert.equal(gcs.gate.requests.filter(isPiece).length - before, pieces);
        const object = `taskrun-ci-${run}/taskrun-uid-${run}`;
        assertSigned(await bytesOf(`${object}.payload`), await bytesOf(`${object}.signature`), false);
      }
    });

    test('a bucket that is not there is STORE_REFUSED, by its name', async () => {
      const other = await openBucket('nowhere');
      await assert.rejects(other.store(await signedEntry('taskrun', 'tekton', { name: 'homeless' })), {
        code: 'STORE_REFUSED',
        status: 404,
        message: /write gs:\/\/nowhere\/taskrun-ci-homeless/,
      });
      await other.close?.();
    });

    test('too many calls is STORE_UNAVAILABLE with the time to wait, and passes', async () => {
      const entry = await signedEntry('taskrun', 'tekton', { name: 'throttled' });
      gcs.gate.trouble = { happens: tooMany, times: 1 };
      await assert.rejects(store.store(entry), { code: 'STORE_UNAVAILABLE', status: 429, retryAfter: 7_000 });
      await store.store(entry);
      assert.equal((await gcs.list('taskrun-ci-throttled/')).length, 2);
    });

    test('a service that hangs or breaks off is STORE_UNAVAILABLE, and passes', async () => {
      const entry = await signedEntry('taskrun', 'tekton', { name: 'hanging' });
      const impatient = await openBucket('chains', { timeout: 100 });
      for (const happens of ['hangs', 'breaks'] as const) {
        gcs.gate.trouble = { happens, times: 2 };
        await assert.rejects(impatient.store(entry), { code: 'STORE_UNAVAILABLE' });
        gcs.gate.trouble = undefined;
      }
      await store.store(entry);
      await impatient.close?.();
    });

    test('an abort ends the wait with its own reason', async () => {
      const entry = await signedEntry('taskrun', 'tekton', { name: 'aborted' });
      gcs.gate.trouble = { happens: 'hangs', times: 2 };
      const reason = new Error('stop');
      await assert.rejects(store.store(entry, abortedSoon(reason)), reason);
      gcs.gate.trouble = undefined;
    });
  });
}

function abortedSoon(reason: Error): AbortSignal {
  const controller = new AbortController();
  setTimeout(() => controller.abort(reason), 50);
  return controller.signal;
}
