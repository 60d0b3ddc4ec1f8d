import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseConfig } from '../../src/config/parse.ts';
import type { JsonObject } from '../../src/json.ts';
import { markPrefix } from '../../src/model/marks.ts';
import type { Outcome } from '../../src/model/outcome.ts';
import { parseRun, type Run } from '../../src/model/run.ts';
import { openPipeline, type Pipeline, type PipelineOptions } from '../../src/pipeline.ts';
import { type Gate, handOn, openGate } from '../doubles/gate.ts';
import { doneStatus } from '../integration/world.ts';
import { pkcs8, secretsWith, spki } from '../sign/keys.ts';
import { type PrivateSigstore, startSigstore } from './sigstore.ts';

/** A private Sigstore with a gate before each of its services, a key of our own and a token. */
export interface SigstoreWorld {
  readonly sigstore: PrivateSigstore;
  readonly gates: Readonly<Record<'fulcio' | 'timestamps' | 'rekorV1' | 'rekorV2', Gate>>;
  readonly trustedRoot: string;
  readonly key: KeyObject;
  /** SPKI PEM. */
  readonly publicKey: string;
  /** Whom the certificates name. */
  readonly identity: string;
  /** Settings for signing without a key of one's own. */
  readonly keyless: Readonly<Record<string, string>>;
  /** Settings for a log of this version. */
  log(api: 'v1' | 'v2'): Readonly<Record<string, string>>;
  readonly timestamps: Readonly<Record<string, string>>;
  open(data: Readonly<Record<string, string>>, options?: Partial<PipelineOptions>): Pipeline;
  /** Lets everything through, and counts from nothing. */
  reset(): void;
  close(): Promise<void>;
}

/** Starts it all. */
export async function startSigstoreWorld(): Promise<SigstoreWorld> {
  const sigstore = await startSigstore();
  const portOf = (url: string) => Number(new URL(url).port);
  const gates = {
    fulcio: await openGate(handOn(portOf(sigstore.fulcio))),
    timestamps: await openGate(handOn(portOf(sigstore.timestamps))),
    rekorV1: await openGate(handOn(portOf(sigstore.rekorV1))),
    rekorV2: await openGate(handOn(portOf(sigstore.rekorV2))),
  };
  const { privateKey: key, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const trustedRoot = await readFile(sigstore.trustedRoot, 'utf8');
  const token = join(sigstore.folder, 'token');
  await writeFile(token, sigstore.token());
  const secrets = secretsWith({ 'x509.pem': pkcs8(key), 'trusted_root.json': trustedRoot });
  return {
    sigstore,
    gates,
    trustedRoot,
    key,
    publicKey: spki(publicKey),
    identity: 'https://kubernetes.io/namespaces/tekton-chains/serviceaccounts/tekton-chains-controller',
    keyless: {
      'signers.x509.fulcio.enabled': 'true',
      'signers.x509.fulcio.address': gates.fulcio.url,
      'signers.x509.identity.token.file': token,
    },
    log: (api) => ({
      'transparency.enabled': 'true',
      'transparency.api': api,
      'transparency.url': api === 'v1' ? gates.rekorV1.url : gates.rekorV2.url,
    }),
    timestamps: { 'transparency.tsa.url': `${gates.timestamps.url}/api/v1/timestamp` },
    open: (data, options = {}) => openPipeline({ config: parseConfig(data).config, secrets, ...options }),
    reset() {
      for (const gate of Object.values(gates)) {
        gate.trouble = undefined;
        gate.requests.length = 0;
      }
    },
    async close() {
      await Promise.all(Object.values(gates).map((gate) => gate.close()));
      await sigstore.stop();
    },
  };
}

let runs = 0;

/** A finished TaskRun of its own uid that says it built these images. */
export function builtRun(...images: readonly string[]): JsonObject {
  runs += 1;
  return {
    apiVersion: 'tekton.dev/v1',
    kind: 'TaskRun',
    metadata: {
      ...{
        name: `build-${runs}`,
        namespace: 'ci',
        uid: `6f1f4e6b-0000-4000-8000-${String(runs).padStart(12, '0')}`,
      },
      annotations: {},
    },
    spec: {},
    status: {
      ...doneStatus,
      results: [{ name: 'IMAGES', type: 'string', value: images.join() }],
      steps: [{ name: 'build', imageID: `registry.example.com/tool@sha256:${'a'.repeat(64)}` }],
    },
  };
}

/** The run as it is once it is marked. */
export function marked(run: JsonObject, { annotations }: Outcome): Run {
  const { metadata } = run;
  const of = typeof metadata === 'object' && metadata !== null ? metadata : {};
  const uid = parseRun(run).uid;
  const marks = { [`${markPrefix}signed`]: 'true', [`${markPrefix}signed-uid`]: uid };
  return parseRun({ ...run, metadata: { ...of, annotations: { ...annotations, ...marks } } });
}
