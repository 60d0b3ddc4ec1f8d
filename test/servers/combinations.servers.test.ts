import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { object, parse, string } from 'valibot';
import { combinationsSuite, type OpenPlace, type Signed } from '../store/combinations.suite.ts';
import type { DatabaseUnderTest } from '../store/docdb.suite.ts';
import { both, openPlaces, openRegistry } from '../store/open-places.ts';
import { startDynamodbLocal } from './dynamodb.ts';
import { startFakeGcs } from './gcs.ts';
import { startTopic } from './kafka-topic.ts';
import { startFerret } from './mongo.ts';
import { startReferrersRegistry } from './registries.ts';
import { say } from './signed.ts';
import { tool } from './tools.ts';

/** openssl verifies what was read back. */
async function openssl({ message, signature, publicKey }: Signed): Promise<void> {
  await inFolder({ message, signature, 'key.pub': publicKey }, async (folder) => {
    const parameters = ['dgst', '-sha256', '-verify', 'key.pub', '-signature', 'signature', 'message'];
    assert.match(await say(tool('openssl'), parameters, { cwd: folder }), /Verified OK/);
  });
}

/** These versions of cosign verify what is in the registry; a run's status is nothing that it knows, so openssl does. */
function cosign(versions: readonly ('cosign 2' | 'cosign 3')[]) {
  return async (signed: Signed): Promise<void> => {
    await openssl(signed);
    const { kind, format, image, publicKey } = signed;
    if (format === 'tekton') return;
    const type =
      format === 'slsa/v2alpha3' || format === 'slsa/v2alpha4' ? 'slsaprovenance1' : 'slsaprovenance';
    const command = kind === 'oci' ? ['verify'] : ['verify-attestation', '--type', type];
    await inFolder({ 'key.pub': publicKey }, async (folder) => {
      for (const version of versions) {
        const parameters = [...command, '--key', 'key.pub', '--insecure-ignore-tlog', image];
        const said = await say(tool(version), parameters, { cwd: folder, env: { HOME: folder } });
        assert.match(said, /signatures were verified against the specified public key/);
      }
    });
  };
}

async function inFolder(
  files: Readonly<Record<string, string | Uint8Array>>,
  work: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'chains-combinations-'));
  try {
    for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The real Kafka, read by a consumer. */
async function openKafka(context: TestContext): Promise<OpenPlace> {
  const { settings, delivered, close } = await startTopic();
  context.after(close);
  return {
    settings,
    async read() {
      const [message = assert.fail('nothing was delivered')] = await delivered(1);
      const payload = Buffer.from(String(message.metadata['payload']), 'base64');
      return { signature: message.body, payload };
    },
  };
}

/** The real fake-gcs-server, asked for objects over HTTP. */
async function openGcs(context: TestContext): Promise<OpenPlace> {
  const { read, close } = await startFakeGcs();
  context.after(close);
  return {
    settings: {},
    async read({ kind, key }) {
      const folder = `${kind === 'pipelinerun' ? 'pipelinerun' : 'taskrun'}-ci-build`;
      const [payload, signature] = await Promise.all(
        ['payload', 'signature'].map((part) => read(`${folder}/${key}.${part}`)),
      );
      return both(payload?.bytes, signature?.bytes);
    },
  };
}

/** Of a document, as go-cloud reads it: both in base64. */
const signedDocument = object({ Signed: string(), Signature: string() });

/** A real database, read by go-cloud's docstore. */
function openDatabase(startDatabase: () => Promise<DatabaseUnderTest>) {
  return async (context: TestContext): Promise<OpenPlace> => {
    const { settings, readWithGoCloud, close } = await startDatabase();
    context.after(close);
    return {
      settings,
      async read({ key }) {
        const document = parse(signedDocument, await readWithGoCloud?.(key));
        const [payload, signature] = [document.Signed, document.Signature].map((text) =>
          Buffer.from(text, 'base64'),
        );
        return both(payload, signature);
      },
    };
  };
}

const registry = (context: TestContext) => openRegistry(context, startReferrersRegistry);
for (const name of ['tekton', 'firestore', 'grafeas', 'archivista', 'pubsub'] as const)
  combinationsSuite(name, openPlaces[name], openssl);
combinationsSuite('tags', registry, cosign(['cosign 2', 'cosign 3']));
combinationsSuite('bundles', registry, cosign(['cosign 3']));
combinationsSuite('gcs', openGcs, openssl);
combinationsSuite('mongo', openDatabase(startFerret), openssl);
combinationsSuite('dynamodb', openDatabase(startDynamodbLocal), openssl);
combinationsSuite('kafka', openKafka, openssl);
