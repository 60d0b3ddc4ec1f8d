import { createPrivateKey, sign } from 'node:crypto';
import { preAuthEncoding, inTotoType } from '../../src/keys/dsse.ts';
import { ownKeyOf } from '../../src/model/artifact.ts';
import { isJsonObject, type Json, type JsonObject } from '../../src/json.ts';
import { parseRun, type Run } from '../../src/model/run.ts';
import type { Verification } from '../../src/verify/checks.ts';
import type { Expectations } from '../../src/verify/provenance.ts';
import { readKeys } from '../../src/verify/public-key.ts';
import { verifyRun } from '../../src/verify/run.ts';
import { pkcs8 } from '../sign/keys.ts';
import { newKey } from '../store/oci/world.ts';

const { privateKey, publicKey } = newKey();
const keys = await readKeys([publicKey]);
const signingKey = createPrivateKey(pkcs8(privateKey));

const base64 = (bytes: string | Uint8Array) => Buffer.from(bytes).toString('base64');

/** The annotations of an artifact's payload as it is stored, signed by a key of this test. */
export function storedAs(key: string, payload: Json): Readonly<Record<string, string>> {
  const bytes = Buffer.from(JSON.stringify(payload));
  const isStatement = isJsonObject(payload) && payload['_type'] !== undefined;
  const message = isStatement ? preAuthEncoding(inTotoType, bytes) : bytes;
  const signature = sign('sha256', message, signingKey);
  const envelope = {
    payloadType: inTotoType,
    payload: base64(bytes),
    signatures: [{ keyid: '', sig: base64(signature) }],
  };
  return {
    [`chains.tekton.dev/payload-${key}`]: base64(bytes),
    [`chains.tekton.dev/signature-${key}`]: base64(isStatement ? JSON.stringify(envelope) : signature),
  };
}

/** The run as an object, with these annotations beside its own and the mark of its uid. */
export function marked(run: Run, annotations: Readonly<Record<string, string>>): Run {
  const all = { ...run.annotations, ...annotations, 'chains.tekton.dev/signed-uid': run.uid };
  return parseRun({ ...run.object, metadata: { ...Object(run.object['metadata']), annotations: all } });
}

/** Verifies a run on which this payload stands as its own. */
export async function verifiedWith(
  run: Run,
  payload: Json,
  taskRuns: readonly JsonObject[] = [],
  expected: Expectations = {},
): Promise<Verification> {
  const isStatus = !isJsonObject(payload) || payload['_type'] === undefined;
  const key = isStatus && run.kind === 'TaskRun' ? 'taskrun' : ownKeyOf(run);
  return verifyRun(marked(run, storedAs(key, payload)), { keys, expected, taskRuns });
}

/** The reasons of the checks that failed. */
export function failuresOf({ checks }: Verification): readonly string[] {
  return checks.filter(({ ok }) => !ok).map(({ name, reason }) => `${name}: ${reason}`);
}
