import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import dynalite from 'dynalite';
import { Binary } from 'mongodb';
import { at, type Json, member } from '../../src/json.ts';
import { startRegistry } from '../../sandbox/registry/index.ts';
import { startArchivista } from '../doubles/archivista.ts';
import { createFirestore, plain } from '../doubles/firestore.ts';
import { type Respond, openGate } from '../doubles/gate.ts';
import { createGcs } from '../doubles/gcs.ts';
import { startGrafeas } from '../doubles/grafeas.ts';
import { startMongo } from '../doubles/mongo.ts';
import { startPubsubEmulator } from '../doubles/pubsub.ts';
import type { OpenPlace, ReadBack } from './combinations.suite.ts';
import type { PlaceName } from './combinations.ts';
import { useDynamodb } from './dynamodb.ts';
import { RepositoryView, type TestRegistry } from './oci/world.ts';

/** Opens a place for one test. */
type Open = (context: TestContext) => Promise<OpenPlace>;

const base64 = (text: Json | undefined) => Buffer.from(String(text), 'base64');

/** Everything that runs with npm alone: doubles, dynalite and the sandbox's registry. Kafka has no double. */
export const openPlaces: Readonly<Record<Exclude<PlaceName, 'kafka'>, Open>> = {
  tekton: async () => ({ settings: {}, read: async ({ annotations }) => annotated(annotations) }),
  tags: (context) => openRegistry(context, startRegistry),
  bundles: (context) => openRegistry(context, startRegistry),
  async gcs(context) {
    const double = createGcs(['chains']);
    await emulate(context, 'STORAGE_EMULATOR_HOST', double.respond);
    const objects = double.buckets.get('chains');
    const read = (name: string) =>
      ['taskrun', 'pipelinerun'].map((kind) => objects?.get(`${kind}-ci-build/${name}`)?.bytes).find(Boolean);
    return {
      settings: {},
      read: async ({ key }) => both(read(`${key}.payload`), read(`${key}.signature`)),
    };
  },
  async firestore(context) {
    const double = createFirestore('projects/p/databases/(default)');
    await emulate(context, 'FIRESTORE_EMULATOR_HOST', double.respond);
    return {
      settings: {},
      async read({ key }) {
        const fields = double.documents.get(`projects/p/databases/(default)/documents/chains/${key}`);
        return documentOf(plain({ mapValue: { fields: fields ?? assert.fail(`no ${key}`) } }));
      },
    };
  },
  async mongo(context) {
    const double = await startMongo(new Map([['writer', { password: 'p', mayWrite: true }]]));
    context.after(double.close);
    return {
      settings: { 'storage.docdb.mongo-server-url': `mongodb://writer:p@127.0.0.1:${double.port}/` },
      read: async ({ key }) => documentOf(double.documents.get(`ci.chains/${key}`)),
    };
  },
  async dynamodb(context) {
    const server = dynalite({ createTableMs: 0 });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const stop = () => new Promise<void>((resolve) => server.close(() => resolve()));
    const table = await useDynamodb(port, 'name', stop);
    context.after(table.close);
    return { settings: {}, read: async ({ key }) => documentOf(await table.read(key)) };
  },
  async grafeas(context) {
    const { occurrences } = await startGrafeas(context);
    return {
      settings: {},
      async read() {
        const last = occurrences.at(-1);
        const payload = at(last, 'attestation', 'serializedPayload');
        const signatures = at(last, 'attestation', 'signatures');
        const [first] = Array.isArray(signatures) ? signatures : [];
        return payload === undefined
          ? { stored: 'build', signature: Buffer.from(JSON.stringify(member(last, 'envelope'))) }
          : {
              stored: 'attestation',
              payload: base64(payload),
              signature: base64(member(first, 'signature')),
            };
      },
    };
  },
  async archivista(context) {
    const archivista = await startArchivista();
    context.after(archivista.close);
    return {
      settings: { 'storage.archivista.url': archivista.url },
      async read() {
        const gitoid = [...archivista.envelopes.keys()].at(-1);
        const answer = await fetch(`${archivista.url}/download/${gitoid}`);
        return { stored: 'envelope', signature: Buffer.from(await answer.arrayBuffer()) };
      },
    };
  },
  async pubsub(context) {
    const emulator = await startPubsubEmulator();
    context.after(emulator.close);
    setVariable(context, 'PUBSUB_EMULATOR_HOST', `127.0.0.1:${emulator.port}`);
    return {
      settings: {},
      async read() {
        const message = emulator.topics.get('projects/acme/topics/chains')?.at(-1) ?? assert.fail();
        return { signature: message.data, payload: base64(message.attributes['payload']) };
      },
    };
  },
};

/** A registry, with a repository that is read without the code that is tested. */
export async function openRegistry(
  context: TestContext,
  start: () => Promise<TestRegistry>,
): Promise<OpenPlace> {
  const registry = await start();
  context.after(() => registry.close());
  const app = new RepositoryView(registry, 'acme/app');
  return {
    settings: {},
    pushImage: (content) => app.pushImage(content),
    async read({ image }): Promise<ReadBack> {
      const tagged = async (suffix: 'sig' | 'att') =>
        (await app.layers(image, suffix)).map((layer) => ({ stored: `\`.${suffix}\``, layer }));
      const referring = (await app.referrers(image)).flatMap(({ artifactType, layers = [] }) => {
        const stored = artifactType?.includes('bundle') === true ? 'bundle' : 'referrer';
        return layers.map((layer) => ({ stored, layer }));
      });
      const [found, ...more] = [...(await tagged('sig')), ...(await tagged('att')), ...referring];
      assert.deepEqual(more, []);
      assert.ok(found !== undefined, 'nothing is there');
      const { stored, layer } = found;
      const blob = await app.blob(layer.digest);
      const signature = layer.annotations?.['dev.cosignproject.cosign/signature'] ?? '';
      if (signature !== '') return { stored, payload: blob, signature: base64(signature) };
      const envelope = member(JSON.parse(blob.toString('utf8')), 'dsseEnvelope');
      return { stored, signature: envelope === undefined ? blob : Buffer.from(JSON.stringify(envelope)) };
    },
  };
}

function annotated(annotations: Readonly<Record<string, string>>): ReadBack {
  const [payload, signature] = ['payload', 'signature'].map((part) =>
    Object.entries(annotations).find(([name]) => name.startsWith(`chains.tekton.dev/${part}-`)),
  );
  return { payload: base64(payload?.[1]), signature: base64(signature?.[1]) };
}

/** A document as a database's driver gives it: bytes, and the signature in base64. */
function documentOf(document: unknown): ReadBack {
  assert.ok(typeof document === 'object' && document !== null, 'there is no document');
  const { Signed, Signature } = document as { Signed?: unknown; Signature?: unknown };
  const bytes = Signed instanceof Binary ? Signed.buffer : Signed;
  assert.ok(bytes instanceof Uint8Array && typeof Signature === 'string');
  return { payload: bytes, signature: Buffer.from(Signature, 'base64') };
}

/** Payload and signature, of which neither may be missing. */
export function both(payload: Uint8Array | undefined, signature: Uint8Array | undefined): ReadBack {
  assert.ok(payload !== undefined && signature !== undefined, 'payload or signature is missing');
  return { payload, signature };
}

async function emulate(context: TestContext, variable: string, respond: Respond): Promise<void> {
  const gate = await openGate(respond);
  context.after(gate.close);
  setVariable(context, variable, `127.0.0.1:${gate.port}`);
}

function setVariable(context: TestContext, variable: string, value: string): void {
  process.env[variable] = value;
  context.after(() => delete process.env[variable]);
}
