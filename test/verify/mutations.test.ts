import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { runVerify } from '../../src/cli/commands/verify.ts';
import { parseConfig } from '../../src/config/parse.ts';
import { ChainsError } from '../../src/errors.ts';
import { isJsonList, isJsonObject, type Json, type JsonObject, parseJson } from '../../src/json.ts';
import { openPipeline } from '../../src/pipeline.ts';
import { digest, taskRun } from '../runs.ts';
import { pkcs8, secretsWith } from '../sign/keys.ts';
import { assertSigned, newKey } from '../store/oci/world.ts';
import { flipped, mutations } from './changes.ts';

const { privateKey, publicKey } = newKey();
const folder = await mkdtemp(join(tmpdir(), 'chains-mutations-'));
after(() => rm(folder, { recursive: true }));
const keyFile = join(folder, 'key.pub');
await writeFile(keyFile, publicKey);

const run = taskRun({
  conditions: [{ type: 'Succeeded', status: 'True' }],
  startTime: '2026-01-01T10:00:00Z',
  completionTime: '2026-01-01T10:05:00Z',
  steps: [{ name: 'build', imageID: `gcr.io/tools/builder@${digest('b')}` }],
  results: [{ name: 'IMAGES', value: `gcr.io/acme/app@${digest('a')}` }],
});

/** The run with what a format signs of it in its annotations. */
async function signed(format: string): Promise<Readonly<Record<string, string>>> {
  const data = { 'artifacts.taskrun.format': format, 'artifacts.oci.storage': 'tekton' };
  const { config } = parseConfig(data);
  const pipeline = openPipeline({ config, secrets: secretsWith({ 'x509.pem': pkcs8(privateKey) }) });
  const outcome = await pipeline.process(run);
  await pipeline.close();
  assertSigned(outcome);
  return { ...outcome.annotations, 'chains.tekton.dev/signed-uid': run.uid };
}

/** The exit code of `chains verify` on the run with these annotations. */
async function exitCode(
  annotations: Readonly<Record<string, string>>,
  metadata: JsonObject = {},
  more: JsonObject = {},
): Promise<number> {
  const file = join(folder, 'run.json');
  const own = run.object['metadata'];
  await writeFile(
    file,
    JSON.stringify({ ...run.object, ...more, metadata: { ...Object(own), ...metadata, annotations } }),
  );
  const options = { systemNamespace: 'tekton-chains', output: 'json', key: [keyFile] } as const;
  return runVerify([], { ...options, file: [file] }, () => {});
}

const toBase64 = (json: Json) => Buffer.from(JSON.stringify(json)).toString('base64');
const bytesOf = (text: string | undefined) => Buffer.from(text ?? '', 'base64');
const jsonOf = (text: string | undefined): Json => parseJson(bytesOf(text).toString());
const changes = (value: Json | undefined) => (value === undefined ? [] : mutations(value));

for (const format of ['tekton', 'in-toto', 'slsa/v2alpha3', 'slsa/v2alpha4']) {
  suite(`a run signed in the format ${format}, with one thing changed, is not verified: exit code 3`, async () => {
    const annotations = await signed(format);
    const key = format === 'tekton' ? 'taskrun' : `taskrun-${run.uid}`;
    const keys = [key, 'aaaaaaaaaaaa'];
    const name = (part: string, of: string) => `chains.tekton.dev/${part}-${of}`;
    const fails = async (what: string, changed: Readonly<Record<string, string>>) =>
      assert.equal(await exitCode({ ...annotations, ...changed }), 3, what);

    test('unchanged it is', async () => assert.equal(await exitCode(annotations), 0));

    test('every field of the payload, in the envelope too', async () => {
      for (const of of keys) {
        const [payload, signature] = [name('payload', of), name('signature', of)];
        const envelope = bytesOf(annotations[signature])[0] === 0x7b ? jsonOf(annotations[signature]) : {};
        for (const [where, changed] of mutations(jsonOf(annotations[payload]))) {
          const text = toBase64(changed);
          const enclosing = isJsonObject(envelope) && Object.hasOwn(envelope, 'payload');
          await fails(where, {
            [payload]: text,
            ...(enclosing ? { [signature]: toBase64({ ...envelope, payload: text }) } : {}),
          });
        }
      }
    });

    test('every 16th byte of payloads and signatures', async () => {
      for (const of of keys) {
        for (const part of ['payload', 'signature']) {
          for (const [index, changed] of flipped(bytesOf(annotations[name(part, of)]))) {
            await fails(`${part} ${of} ${index}`, { [name(part, of)]: changed.toString('base64') });
          }
        }
      }
    });

    test('every field of the envelope, and every 16th byte of the signature in it', async () => {
      const envelope = format === 'tekton' ? undefined : jsonOf(annotations[name('signature', key)]);
      for (const [where, changed] of changes(envelope)) {
        // Which key it was is a hint that may be missing.
        if (where.endsWith(' without keyid')) continue;
        await fails(where, { [name('signature', key)]: toBase64(changed) });
      }
      const signatures = isJsonObject(envelope) ? envelope['signatures'] : [];
      const [one] = isJsonList(signatures) ? signatures : [];
      const sig = isJsonObject(one) ? String(one['sig']) : '';
      for (const [index, changed] of flipped(bytesOf(sig))) {
        const other = {
          ...Object(envelope),
          signatures: [{ ...Object(one), sig: changed.toString('base64') }],
        };
        await fails(`sig ${index}`, { [name('signature', key)]: toBase64(other) });
      }
    });

    test("the run's kind and uid, and its status where that is what was signed", async () => {
      assert.equal(await exitCode(annotations, { uid: 'uid-2' }), 3);
      assert.equal(await exitCode(annotations, {}, { kind: 'PipelineRun' }), 3);
      if (format !== 'tekton') return;
      for (const [where, status] of changes(run.object['status'])) {
        assert.equal(await exitCode(annotations, {}, { status }), 3, where);
      }
    });

    test('every byte of the key', async () => {
      const der = createPublicKey(publicKey).export({ format: 'der', type: 'spki' });
      for (const index of der.keys()) {
        const changed = Buffer.from(der);
        changed[index] = (changed[index] ?? 0) ^ 1;
        const pem = `-----BEGIN PUBLIC KEY-----\n${changed.toString('base64')}\n-----END PUBLIC KEY-----\n`;
        await writeFile(keyFile, pem);
        const code = await exitCode(annotations).catch((error: unknown) => {
          if (error instanceof ChainsError && error.code === 'KEY_INVALID') return 3;
          throw error;
        });
        await writeFile(keyFile, publicKey);
        assert.equal(code, 3, `byte ${index}`);
      }
    });
  });
}
