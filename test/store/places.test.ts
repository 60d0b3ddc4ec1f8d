import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../src/config/parse.ts';
import { stores } from '../../src/store/index.ts';
import { digest } from '../runs.ts';
import { signedArtifact, type Wanted } from './entries.ts';

const taskRun: Wanted = { kind: 'taskrun', format: 'in-toto' };
const asItIs: Wanted = { kind: 'taskrun', format: 'tekton' };
const image: Wanted = { kind: 'oci', format: 'simplesigning' };
const tag = digest('a').replace(':', '-');
const docdb = {
  'storage.docdb.url': 'mongo://ci/chains',
  'storage.docdb.mongo-server-url': 'mongodb://u:p@a',
};
const kafka = { 'storage.pubsub.provider': 'kafka', 'storage.pubsub.kafka.bootstrap.servers': 'a:9092' };
const topic = { 'storage.pubsub.topic': 'runs' };
const elsewhere = { 'storage.oci.repository': 'r.example/signatures' };
const bundles = { 'storage.oci.encoding-format': 'sigstore-bundle' };

for (const [store, wanted, settings, expected] of [
  ['tekton', taskRun, {}, 'annotations of the run'],
  ['gcs', taskRun, { 'storage.gcs.bucket': 'b' }, 'gs://b/taskrun-ci-build/taskrun-uid-1.payload'],
  ['docdb', taskRun, docdb, 'document taskrun-uid-1 in mongo://ci/chains'],
  ['archivista', taskRun, { 'storage.archivista.url': 'https://u:p@a.example/v' }, 'https://a.example/v'],
  ['pubsub', taskRun, { ...topic, ...kafka }, 'kafka topic runs'],
  ['grafeas', image, { 'storage.grafeas.projectid': 'p' }, 'projects/p/notes/tekton-ci-simplesigning'],
  ['oci', taskRun, {}, `gcr.io/acme/app:${tag}.att`],
  ['oci', image, {}, `gcr.io/acme/app:${tag}.sig`],
  ['oci', image, elsewhere, `r.example/signatures:${tag}.sig`],
  ['oci', taskRun, bundles, `referrer of gcr.io/acme/app@${digest('a')}`],
  ['oci', asItIs, {}, `referrer of gcr.io/acme/app@${digest('a')}`],
] as const) {
  test(`the store ${store} names ${expected} as the place of a ${wanted.kind} in ${wanted.format}`, async () => {
    const opened = await (await stores[store]())(parseConfig(settings).config);
    assert.deepEqual(opened.places(await signedArtifact(wanted)), [expected]);
    await opened.close?.();
  });
}

test('a run that made no image has no place in a registry', async () => {
  const opened = await (await stores.oci())(parseConfig({}).config);
  assert.deepEqual(opened.places(await signedArtifact({ ...taskRun, images: [] })), []);
});
