import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { request } from 'undici';
import { keygen, type KeygenOptions } from '../../src/cli/commands/keygen.ts';
import { report } from '../../src/cli/terminal/report.ts';
import { parseConfig } from '../../src/config/parse.ts';
import { startSandbox } from '../../sandbox/index.ts';
import { signers } from '../../src/sign/index.ts';
import { readSecrets } from '../../src/sign/secrets.ts';
import { secretsWith } from '../sign/keys.ts';
import { found, numbersOfPgp, numbersOfPkcs8, tracesOf } from './traces.ts';
import { doneStatus, ended, eventually, mark, metricsPage, openWorld } from './world.ts';

const { config } = parseConfig({});
const opens = [await signers.x509(), await signers.pgp()];
/** All that was printed, logged, thrown or written on runs, in the order of the tests. */
const shown: string[] = [];

/** Does something, and keeps what an error would tell anywhere: on the terminal, and to anyone who looks into it. */
async function listen(work: () => Promise<unknown>): Promise<'done' | 'failed'> {
  try {
    await work();
    return 'done';
  } catch (error) {
    report(error, (text) => shown.push(text));
    shown.push(inspect(error, { depth: 9, showHidden: true }), JSON.stringify(error));
    return 'failed';
  }
}

const streams = {
  stdout: { write: (text: string) => shown.push(text) },
  stderr: { write: (text: string) => shown.push(text) },
};
const generate = (options: KeygenOptions) => listen(() => keygen(options, streams, {}));

const root = await mkdtemp(join(tmpdir(), 'chains-secrecy-'));
test.after(() => rm(root, { recursive: true }));

/** The private files of a key of each type, by name; two of each name, so that they can be mixed up. */
const files = new Map<string, Buffer>();
const secrets: Uint8Array[] = [];
const publicHalves: Uint8Array[] = [];
for (const type of ['ecdsa', 'ed25519', 'rsa', 'cosign', 'pgp']) {
  const out = join(root, type);
  assert.equal(await generate({ type, out }), 'done');
  for (const name of await readdir(out)) {
    const content = await readFile(join(out, name));
    if (/\.pub$|public-key$/.test(name)) {
      publicHalves.push(content);
      continue;
    }
    files.set(`${type}/${name}`, content);
    secrets.push(content, ...(name === 'x509.pem' ? numbersOfPkcs8(content.toString()) : []));
  }
}
const contentOf = (path: string) => files.get(path) ?? assert.fail(path);
secrets.push(
  ...(await numbersOfPgp(
    contentOf('pgp/pgp.private-key').toString(),
    contentOf('pgp/pgp.passphrase').toString(),
  )),
);
const traces = new Set(secrets.flatMap((secret) => [...tracesOf(secret, publicHalves)]));

/** A file as mistakes make it. */
const spoiled: readonly ((content: Buffer) => Buffer)[] = [
  (content) => content,
  (content) => content.subarray(0, content.length / 2),
  (content) => content.subarray(content.length / 2),
  (content) => Buffer.concat([content, content]),
  (content) => Buffer.from(content.toString('base64')),
  (content) => Buffer.from(content.toString().replaceAll('-----', '')),
  (content) => Buffer.from(content.toString().replace(/\n([\w+/]{8})/, '\n########')),
  (content) => Buffer.from(content.toString().replace(/(\n[\w+/]{30}).{9}/, '$1AAAAAAAAA')),
  (content) => Buffer.from(content.toString().split('\n').toReversed().join('\n')),
];

test('no error of a signer shows anything of a key, password or passphrase, whatever file is where', async () => {
  const outcomes = { done: 0, failed: 0 };
  const places = ['x509.pem', 'cosign.key', 'cosign.password', 'pgp.private-key', 'pgp.passphrase'];
  for (const place of places) {
    for (const content of files.values()) {
      // Each password costs what scrypt costs.
      for (const spoil of place === 'cosign.password' ? spoiled.slice(0, 2) : spoiled) {
        // Passwords need their keys beside them, and cosign's are only looked at where there is no other.
        const beside = place.startsWith('cosign')
          ? {
              'cosign.key': contentOf('cosign/cosign.key'),
              'cosign.password': contentOf('cosign/cosign.password'),
            }
          : {
              'pgp.private-key': contentOf('pgp/pgp.private-key'),
              'pgp.passphrase': contentOf('pgp/pgp.passphrase'),
            };
        const set = secretsWith({ ...beside, [place]: spoil(content) });
        const open = place.startsWith('pgp') ? opens[1] : opens[0];
        outcomes[await listen(async () => (await open?.(config, set))?.sign(content))]++;
      }
    }
  }
  assert.ok(outcomes.failed > 250 && outcomes.done >= 5, JSON.stringify(outcomes));
});

test('neither does keygen that fails, nor reading a folder of keys that all may read', async () => {
  const cosign = join(root, 'cosign');
  assert.equal(await generate({ type: 'cosign', out: cosign }), 'failed');
  assert.equal(await generate({ type: 'pgp', out: '/dev/null/x' }), 'failed');
  assert.equal(await generate({ type: 'pgp', secret: true, apply: true, kubeconfig: '/nowhere' }), 'failed');
  assert.equal(
    await generate({ type: contentOf('cosign/cosign.password').toString('hex').slice(0, 8) }),
    'failed',
  );
  const { warnings = [] } = await readSecrets(cosign);
  shown.push(...warnings);
});

test('neither does a controller through which keys pass, good and bad, nor what it writes on runs', async (context) => {
  const world = await openWorld(await startSandbox({ life: false }));
  context.after(() => world.close());
  await world.configure({});
  const controller = await world.startController();
  const put = async (name: string, content: Uint8Array) => {
    await writeFile(join(world.secretsFolder, `.${name}`), content, { mode: 0o604 });
    await rename(join(world.secretsFolder, `.${name}`), join(world.secretsFolder, name));
  };
  const logs = (text: RegExp) =>
    eventually(`the log says ${text}`, () => world.logged.find((line) => text.test(line)));
  for (const [index, spoil] of spoiled.slice(1, 4).entries()) {
    await put('x509.pem', spoil(contentOf('rsa/x509.pem')));
    await world.createRun(`spoiled-${index}`, { status: doneStatus });
  }
  await logs(/x509\.pem holds 2 PEM blocks/);
  await rm(join(world.secretsFolder, 'x509.pem'));
  await put('cosign.password', contentOf('pgp/pgp.passphrase'));
  await put('cosign.key', contentOf('cosign/cosign.key'));
  await logs(/can't be opened with the password/);
  await put('cosign.password', contentOf('cosign/cosign.password'));
  await ended(world, 'spoiled-0');
  await world.configure({ 'artifacts.taskrun.signer': 'pgp', 'signing.retry-deadline': '2s' });
  await logs(/has no `pgp\.private-key`/);
  await put('pgp.private-key', contentOf('pgp/pgp.private-key'));
  await logs(/there is no `pgp\.passphrase`/);
  await world.createRun('unsigned', { status: doneStatus });
  assert.equal(mark(await ended(world, 'unsigned'), 'signed'), 'failed');
  await put('pgp.passphrase', contentOf('pgp/pgp.passphrase'));
  await eventually('PGP signs', async () => {
    await world.createRun('pgp', { status: doneStatus });
    return mark(await ended(world, 'pgp'), 'signed');
  });
  for (const name of ['spoiled-0', 'spoiled-2', 'unsigned', 'pgp']) {
    shown.push(mark(await world.run(name), 'message') ?? '');
  }
  const ready = await request(`http://127.0.0.1:${controller.healthPort}/readyz`);
  shown.push(await ready.body.text(), await metricsPage(controller));
  shown.push(await world.text('/api/v1/events'), ...world.logged);
});

test('nothing that was shown has a trace of any of them', () => {
  assert.ok(shown.length > 500 && traces.size > 1_000);
  assert.deepEqual(found(traces, shown.join('\n')), []);
});

test('and a trace would be found, in each spelling', () => {
  for (const content of files.values()) {
    const bare = Buffer.from(content.toString().replace(/-----[A-Z ]+-----/g, ''));
    for (const spell of ['utf8', 'base64', 'hex', 'base64url'] as const) {
      const out = bare.toString(spell);
      for (const text of [
        `x${out}`,
        out.slice(0, 32),
        JSON.stringify({ out }),
        JSON.stringify({ out: bare.subarray(1).toString(spell) }),
      ]) {
        assert.notDeepEqual(found(traces, text), [], text);
      }
    }
  }
});
