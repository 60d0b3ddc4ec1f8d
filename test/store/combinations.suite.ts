import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { parseConfig } from '../../src/config/parse.ts';
import type { FormatName } from '../../src/config/keys.ts';
import type { ArtifactKind } from '../../src/model/artifact.ts';
import { type Envelope, preAuthEncoding } from '../../src/keys/dsse.ts';
import { openPipeline } from '../../src/pipeline.ts';
import { digest, pipelineRun, taskRun } from '../runs.ts';
import { pkcs8, secretsWith } from '../sign/keys.ts';
import { combinations } from './entries.ts';
import { type PlaceName, places, type Place } from './combinations.ts';
import { newKey } from './oci/world.ts';

/** What a place gave back: a DSSE envelope has its payload inside. */
export interface ReadBack {
  /** As the table calls it; `✔` where a store has one way only. */
  readonly stored?: string;
  readonly signature: Uint8Array;
  readonly payload?: Uint8Array;
}

/** Where an artifact was put. */
export interface Put {
  readonly kind: ArtifactKind;
  readonly key: string;
  readonly image: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/** A place that is open, and how something else than its store reads it. */
export interface OpenPlace {
  readonly settings: Readonly<Record<string, string>>;
  /** Pushes an image that runs can say they built; elsewhere any name does. */
  readonly pushImage?: (content: string) => Promise<string>;
  readonly read: (put: Put) => Promise<ReadBack>;
}

/** What is verified, and with which key: PEM. */
export interface Signed {
  readonly kind: ArtifactKind;
  readonly format: FormatName;
  readonly image: string;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
  readonly publicKey: string;
}

/** Signs every artifact in every format into a place, reads each back, and has it verified. */
export function combinationsSuite(
  name: PlaceName,
  open: (context: TestContext) => Promise<OpenPlace>,
  verify: (signed: Signed) => Promise<void> | void,
): void {
  const place: Place = places[name];
  test(`the place ${place.name}`, { timeout: 300_000 }, async (context) => {
    const opened = await open(context);
    const key = newKey();
    for (const [index, { kind, format }] of combinations.entries()) {
      const fate = place.fate(kind, format);
      const what = 'refused' in fate ? `is refused: ${fate.refused}` : `is read back and verifies`;
      await context.test(`${kind} in ${format} ${what}`, async () => {
        const { store, ...more } = { ...place.settings, ...opened.settings };
        const image =
          (await opened.pushImage?.(`${kind} ${format}`)) ?? `gcr.io/acme/app@${digest(index.toString(16))}`;
        const { config } = parseConfig({ ...settingsFor(kind, format, String(store)), ...more });
        const secrets = secretsWith({ 'x509.pem': pkcs8(key.privateKey) });
        const pipeline = openPipeline({ config, secrets });
        const { failures, signed, annotations } = await pipeline.process(runOf(kind, `uid-${index}`, image));
        await pipeline.close();
        const codes = failures.map(({ error }) => error.code);
        if ('refused' in fate) return assert.deepEqual(codes, [fate.refused]);
        assert.deepEqual(failures, []);
        const found = await opened.read({
          kind,
          key: signed[0] ?? assert.fail('nothing'),
          image,
          annotations,
        });
        assert.equal(found.stored ?? '✔', fate.stored);
        const parts = partsOf(found);
        assert.ok(Buffer.from(parts.payload).includes(image.slice(-64)), 'it is about another image');
        await verify({ kind, format, image, publicKey: key.publicKey, ...parts });
      });
    }
  });
}

/** One kind of artifact is on, the others are off. */
function settingsFor(kind: ArtifactKind, format: FormatName, store: string): Record<string, string> {
  const off = ['taskrun', 'pipelinerun', 'oci'].map((one) => [`artifacts.${one}.signer`, 'none']);
  return {
    ...Object.fromEntries(off),
    [`artifacts.${kind}.signer`]: 'x509',
    [`artifacts.${kind}.format`]: format,
    [`artifacts.${kind}.storage`]: store,
  };
}

function runOf(kind: ArtifactKind, uid: string, image: string) {
  const condition = { type: 'Succeeded', status: 'True' };
  const results = [{ name: 'IMAGES', value: image }];
  const times = { startTime: '2026-01-01T00:00:00Z', completionTime: '2026-01-01T00:01:00Z' };
  const status = { conditions: [condition], ...times, results };
  return kind === 'pipelinerun' ? pipelineRun(status, { uid }) : taskRun(status, { uid });
}

function partsOf({ signature, payload }: ReadBack) {
  const text = Buffer.from(signature).toString('utf8');
  if (!text.startsWith('{'))
    return { signature, payload: payload ?? assert.fail(), message: payload ?? assert.fail() };
  const envelope = JSON.parse(text) as Envelope;
  const content = Buffer.from(envelope.payload, 'base64');
  return {
    payload: content,
    message: preAuthEncoding(envelope.payloadType, content),
    signature: Buffer.from(envelope.signatures[0]?.sig ?? '', 'base64'),
  };
}
