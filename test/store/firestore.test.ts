import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SignedArtifact } from '../../src/model/signature.ts';
import { createFirestore, plain } from '../doubles/firestore.ts';
import { openGate } from '../doubles/gate.ts';
import { googleError, startGoogle } from '../doubles/google-front.ts';
import { docdbSuite, type StoredDocument, storeOnce } from './docdb.suite.ts';
import { signedEntry } from './named-entries.ts';
import { withEnvironment } from '../sign/kms/environment.ts';

const database = 'projects/p/databases/(default)';
const collection = `${database}/documents/teams/ci/chains`;
const url = `firestore://${collection}?name_field=name`;
const scopes = [
  'https://www.googleapis.com/auth/datastore',
  'https://www.googleapis.com/auth/cloud-platform',
];
const settings = { 'storage.docdb.url': url };

async function start() {
  const double = createFirestore(database);
  const google = await startGoogle('firestore.googleapis.com', scopes, double.respond);
  const { service } = google;
  const [owner, stranger] = [await google.account('everything'), await google.account('nothing')];
  process.env['GOOGLE_APPLICATION_CREDENTIALS'] = owner;
  return {
    settings,
    async read(id: string) {
      const fields = double.documents.get(`${collection}/${id}`);
      return fields && { id, ...(plain({ mapValue: { fields } }) as Omit<StoredDocument, 'id'>) };
    },
    count: async () => double.documents.size,
    hang: (on: boolean) => {
      service.trouble = { happens: 'hangs', times: on ? 100 : 0 };
    },
    throttle: (times: number) => {
      const happens = googleError(429, 'RESOURCE_EXHAUSTED', 'Quota exceeded.');
      service.trouble = { happens, times };
    },
    refused: {
      'an account that may nothing': (entry: SignedArtifact) =>
        withEnvironment({ GOOGLE_APPLICATION_CREDENTIALS: stranger }, () => storeOnce(settings, entry)),
      'a database that is not there': (entry: SignedArtifact) =>
        storeOnce({ 'storage.docdb.url': url.replace('projects/p', 'projects/q') }, entry),
    },
    close: google.close,
  };
}

docdbSuite({ name: 'the double of Firestore', limit: 1024 * 1024, start });

test('FIRESTORE_EMULATOR_HOST is spoken to without credentials', async (context) => {
  const double = createFirestore(database);
  const gate = await openGate(double.respond);
  context.after(gate.close);
  const entry = await signedEntry('taskrun', 'tekton', { name: 'emulated' });
  await withEnvironment({ FIRESTORE_EMULATOR_HOST: `127.0.0.1:${gate.port}` }, () =>
    storeOnce(settings, entry),
  );
  assert.deepEqual([...double.documents.keys()], [`${collection}/taskrun-uid-emulated`]);
});

test('a document that only Firestore finds too large is PAYLOAD_TOO_LARGE too', async (context) => {
  const gate = await openGate(() =>
    googleError(400, 'INVALID_ARGUMENT', 'its size (2 bytes) exceeds the maximum allowed size of 1 bytes.'),
  );
  context.after(gate.close);
  const entry = await signedEntry('taskrun', 'tekton', { name: 'large' });
  await withEnvironment({ FIRESTORE_EMULATOR_HOST: `127.0.0.1:${gate.port}` }, () =>
    assert.rejects(storeOnce(settings, entry), { code: 'PAYLOAD_TOO_LARGE', terminal: true }),
  );
});
