import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { keygen } from '../../src/cli/commands/keygen.ts';
import { found, numbersOfPgp, numbersOfPkcs8, tracesOf } from './traces.ts';

const source = (path: string) => JSON.stringify(new URL(`../../src/${path}`, import.meta.url).href);

/** Opens signers by their names and folders, signs twice with each and shows the heap; `keep` is done before. */
const program = (keep: string) => `
import { readFileSync } from 'node:fs';
import { getHeapSnapshot } from 'node:v8';
import { parseConfig } from ${source('config/parse.ts')};
import { signers } from ${source('sign/index.ts')};
import { readSecrets } from ${source('sign/secrets.ts')};
globalThis.opened = [];
for (let index = 1; index < process.argv.length; index += 2) {
  const [name, folder] = process.argv.slice(index);
  const signer = await (await signers[name]())(parseConfig({}).config, await readSecrets(folder));
  await signer.sign(Buffer.from('once'));
  await signer.sign(Buffer.from('twice'));
  opened.push(signer);
}
${keep}
for await (const part of getHeapSnapshot()) process.stdout.write(part);
`;

async function heapOf(signersAndFolders: readonly string[], keep = ''): Promise<string> {
  const parameters = ['--input-type=module', '-e', program(keep), ...signersAndFolders];
  return (await promisify(execFile)(process.execPath, parameters, { maxBuffer: 2 ** 28 })).stdout;
}

async function newKey(context: TestContext, type: string) {
  const folder = await mkdtemp(join(tmpdir(), 'chains-heap-'));
  context.after(() => rm(folder, { recursive: true }));
  const streams = { stdout: { write: () => true }, stderr: { write: () => true } };
  await keygen({ type, out: folder }, streams, {});
  const files = new Map<string, Buffer>();
  for (const name of await readdir(folder)) files.set(name, await readFile(join(folder, name)));
  return { folder, files };
}

/** Traces of all that is private in the files of a key. */
async function tracesIn(files: ReadonlyMap<string, Buffer>): Promise<ReadonlySet<string>> {
  const isPublic = (name: string) => /\.pub$|public-key$/.test(name);
  const [secrets, publicHalves] = [false, true].map((wanted) =>
    [...files].flatMap(([name, content]) => (isPublic(name) === wanted ? [content] : [])),
  );
  assert.ok(secrets && publicHalves);
  const text = (name: string) => files.get(name)?.toString() ?? '';
  const numbers = files.has('x509.pem')
    ? numbersOfPkcs8(text('x509.pem'))
    : files.has('pgp.private-key')
      ? await numbersOfPgp(text('pgp.private-key'), text('pgp.passphrase'))
      : [];
  return new Set([...secrets, ...numbers].flatMap((secret) => [...tracesOf(secret, publicHalves)]));
}

const types = [
  ['ecdsa', 'x509'],
  ['ed25519', 'x509'],
  ['rsa', 'x509'],
  ['cosign', 'x509'],
  ['pgp', 'pgp'],
] as const;

test('the heap of signers in use, one for each kind of key, holds no text of their keys', {
  timeout: 60_000,
}, async (context) => {
  const keys = await Promise.all(types.map(([type]) => newKey(context, type)));
  const opened = types.flatMap(([, signer], index) => [signer, keys[index]?.folder ?? assert.fail()]);
  const heap = await heapOf(opened);
  for (const [index, { files }] of keys.entries())
    assert.deepEqual(found(await tracesIn(files), heap), [], types[index]?.[0]);
});

test('and a text of it would be found', { timeout: 60_000 }, async (context) => {
  const { folder, files } = await newKey(context, 'cosign');
  const names = ['cosign.key', 'cosign.password'];
  const keep = names.map((name) => `opened.push(readFileSync('${join(folder, name)}', 'utf8'));`).join('\n');
  const heap = await heapOf(['x509', folder], keep);
  for (const name of names) {
    const traces = await tracesIn(
      new Map([...files].filter(([file]) => file === name || file.endsWith('.pub'))),
    );
    assert.notDeepEqual(found(traces, heap), [], name);
  }
});
