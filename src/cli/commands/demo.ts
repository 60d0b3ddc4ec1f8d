import { execFile } from 'node:child_process';
import { verify } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { request } from 'undici';
import { parse } from 'yaml';
import { defaultSystemNamespace } from '../../config/parse.ts';
import type { Resource } from '../../kubernetes/call.ts';
import { ChainsError } from '../../errors.ts';
import { at, isJsonObject, type Json, type JsonObject, listAt, objectIn, parseJson } from '../../json.ts';
import { markPrefix, messageMark, signedMark } from '../../model/marks.ts';
import { readKeys } from '../../verify/public-key.ts';
import { verifyRun } from '../../verify/run.ts';
import { parseRun } from '../../model/run.ts';
import { root } from '../../version.ts';
import { openLog } from '../../telemetry/logs.ts';
import { newP256Key } from '../keygen/new-keys.ts';
import { signingSecret } from '../keygen/signing-secret.ts';
import { paintFor, wrap } from '../terminal/layout.ts';
import { narrator, type Say } from '../terminal/narrator.ts';
import { showing } from '../terminal/progress.ts';
import { checkLine } from '../terminal/verify-text.ts';
import { type SandboxCluster, startSandboxCluster } from './sandbox.ts';
import { usageError } from '../usage-error.ts';

const taskRuns: Resource = { group: 'tekton.dev', version: 'v1', plural: 'taskruns' };
/** Seconds; usually each step takes less than one. */
const longestWait = 60;
const example = new URL('examples/task-output-image.yaml', root);

/** `chains demo`: a run is created, finishes, is signed and verified; every step is printed. Fails if any step does. */
export async function runDemo(): Promise<void> {
  const say = narrator();
  await using cluster = await startSandboxCluster();
  say(
    `A sandbox of the Kubernetes API listens on ${cluster.sandbox.url}, an OCI registry on ${cluster.registry.host}; nothing leaves this process.`,
  );
  const { files } = newP256Key();
  await cluster.createSecret(signingSecret(defaultSystemNamespace, files));
  const publicKey = files.find(({ what }) => what === 'public key')?.text ?? '';
  say('An ECDSA P-256 key was made and put into the Secret signing-secrets, which is mounted as in a pod.');
  await cluster.startController(await openLog({ level: 'warn' }));
  say('The controller is running. It knows the sandbox only by its URL, as it would know a cluster.');
  const signed = await signedRun(cluster, say);
  await verifyTwice(signed, publicKey, say);
  await verifyInRegistry(signed, publicKey, cluster, say);
  process.stdout.write('\nDone: the run has a record that anyone with the public key can verify.\n');
}

function detail(text: string): string {
  return wrap('      ', text, 8);
}

async function signedRun({ rest }: SandboxCluster, say: Say): Promise<JsonObject> {
  const object: unknown = parse(await readFile(example, 'utf8'));
  if (!isJsonObject(object)) throw usageError('the example is not an object');
  const created = await rest.create(taskRuns, 'default', object);
  const name = String(at(created, 'metadata', 'name'));
  say(
    `TaskRun ${name} was created from examples/task-output-image.yaml. It builds an image and says so in its results.`,
  );
  const until = (what: string, isDone: (run: JsonObject) => boolean) =>
    showing(`waiting until ${what}`, async () => {
      const deadline = performance.now() + longestWait * 1000;
      while (performance.now() < deadline) {
        const run = await rest.get(taskRuns, { namespace: 'default', name });
        if (isDone(run)) return run;
        await pause(25);
      }
      throw new ChainsError('UNEXPECTED', `waited ${longestWait} seconds until ${what}: TaskRun ${name}`);
    });
  const held = await until('it is held', (run) => at(run, 'metadata', 'finalizers') !== undefined);
  say(
    `The controller saw it and put its finalizer on it (${texts(at(held, 'metadata', 'finalizers'))}): it can't be deleted unsigned.`,
  );
  const finished = await until('it finishes', (run) => parseRun(run).progress.state === 'done');
  say(`It finished. Its results are ${texts(at(finished, 'status', 'results'))}.`);
  const signed = await until('it is signed', (run) => signedMark in annotationsOf(run));
  const { [signedMark]: outcome, [messageMark]: reason = 'no reason given' } = annotationsOf(signed);
  if (outcome !== 'true')
    throw new ChainsError('UNEXPECTED', `TaskRun ${name} could not be signed: ${String(reason)}`);
  const marks = Object.keys(annotationsOf(signed)).filter((key) => key.startsWith(markPrefix));
  say('It is signed. Payloads and signatures are in its annotations:', ...marks.map(detail));
  return signed;
}

function annotationsOf(run: JsonObject): JsonObject {
  return objectIn(at(run, 'metadata', 'annotations'));
}

async function verifyTwice(signed: JsonObject, publicKey: string, say: Say): Promise<void> {
  const options = { keys: await readKeys([publicKey]), expected: {} };
  const { verified, checks } = await verifyRun(parseRun(signed), options);
  const paint = paintFor(process.stdout);
  say(
    'Verified with the public key by our own code:',
    ...checks.map((check) => checkLine(check, paint, '      ')),
  );
  if (!verified) throw new ChainsError('SIGNATURE_INVALID', 'the signature does not verify');
  const folder = await mkdtemp(join(tmpdir(), 'chains-demo-'));
  try {
    await writeFile(join(folder, 'key.pub'), publicKey);
    for (const part of ['payload', 'signature']) {
      const text = String(annotationsOf(signed)[`${markPrefix}${part}-taskrun`]);
      await writeFile(join(folder, part), Buffer.from(text, 'base64'));
    }
    const command = ['dgst', '-sha256', '-verify', 'key.pub', '-signature', 'signature', 'payload'];
    const answer = await promisify(execFile)('openssl', command, { cwd: folder }).catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw new ChainsError('SIGNATURE_INVALID', 'openssl does not verify the signature', { cause: error });
    });
    if (answer === undefined)
      say('OpenSSL is not installed here: the second, independent check is left out.');
    else
      say(
        'Verified again by OpenSSL:',
        ...[`$ openssl ${command.join(' ')}`, answer.stdout.trim()].map(detail),
      );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Reads the image's signature from the registry, as `cosign verify` does, with nothing but HTTP and the key. */
async function verifyInRegistry(
  signed: JsonObject,
  publicKey: string,
  { registry, signatures }: SandboxCluster,
  say: Say,
): Promise<void> {
  const digest = listAt(signed, 'status', 'results').find((one) => at(one, 'name') === 'IMAGE_DIGEST');
  const tag = `${String(at(digest, 'value')).replace(':', '-')}.sig`;
  const read = async (path: string): Promise<Buffer> => {
    const answer = await request(`http://${registry.host}/v2/signatures/${path}`);
    return Buffer.from(await answer.body.arrayBuffer());
  };
  const manifest = parseJson((await read(`manifests/${tag}`)).toString('utf8'));
  const [layer] = listAt(manifest, 'layers');
  const payload = await read(`blobs/${String(at(layer, 'digest'))}`);
  const signature = at(layer, 'annotations', 'dev.cosignproject.cosign/signature');
  if (!verify('sha256', payload, publicKey, Buffer.from(String(signature), 'base64')))
    throw new ChainsError('SIGNATURE_INVALID', 'the signature in the registry does not verify');
  say(
    "The image's signature is in the registry too, at the tag where cosign looks for it, and verifies:",
    detail(`${signatures}:${tag}`),
  );
}

function texts(value: Json | undefined): string {
  return listAt(value)
    .map((one) => (isJsonObject(one) ? `${String(one['name'])}=${String(one['value'])}` : String(one)))
    .join(', ');
}
