import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { at } from '../../src/json.ts';
import { type SandboxRegistry, startRegistry } from '../../sandbox/registry/index.ts';
import { doneStatus, ended, mark, openWorld, type TestCluster, type World } from './world.ts';

const robot = { name: 'robot', password: 'secret-of-robot' };

/** Secrets of a cluster let the controller in at registries: run on the sandbox and on a real API server. */
export function registrySecretsSuite(name: string, start: () => Promise<TestCluster>): void {
  suite(`registry credentials from ${name}`, { concurrency: 6 }, () => {
    let world: World;
    let registry: SandboxRegistry;
    before(async () => {
      registry = await startRegistry({ guard: { scheme: 'token', users: [robot] } });
      world = await openWorld(await start());
      await world.configure({ 'artifacts.oci.storage': 'oci', 'signing.retry-deadline': '2s' });
      for (const [secret, password] of [
        ['right', robot.password],
        ['wrong', 'wrong-password'],
      ] as const)
        await create('secrets', secret, {
          type: 'kubernetes.io/dockerconfigjson',
          stringData: {
            '.dockerconfigjson': JSON.stringify({
              auths: { [registry.host]: { username: 'robot', password } },
            }),
          },
        });
      await create('secrets', 'unrelated', { type: 'Opaque', stringData: { token: 'x' } });
      for (const [secret, text] of [
        [
          'for-others',
          JSON.stringify({ auths: { 'other.example': { username: 'a', password: 'hidden-word' } } }),
        ],
        [
          'many',
          JSON.stringify({
            auths: Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`h${index}.example`, {}])),
          }),
        ],
        [
          'slashes',
          JSON.stringify({ auths: { [`x${'/'.repeat(500_000)}y`]: { username: 'a', password: 'b' } } }),
        ],
      ] as const)
        await create('secrets', secret, {
          type: 'kubernetes.io/dockerconfigjson',
          stringData: { '.dockerconfigjson': text },
        });
      await create('secrets', 'for-git', {
        type: 'kubernetes.io/basic-auth',
        stringData: { username: 'a', password: 'b' },
      });
      await create('serviceaccounts', 'with-git', { secrets: [{ name: 'for-git' }] });
      for (const secret of ['unrelated', 'for-others', 'gone', 'many', 'slashes'])
        await create('serviceaccounts', `only-${secret}`, { imagePullSecrets: [{ name: secret }] });
      await create('serviceaccounts', 'by-secrets', { secrets: [{ name: 'unrelated' }, { name: 'right' }] });
      await create('serviceaccounts', 'by-pull-secrets', {
        secrets: [{ name: 'wrong' }, { name: 'gone' }],
        imagePullSecrets: [{ name: 'right' }],
      });
      await create('serviceaccounts', 'without', {});
      await world.startController();
    });
    after(async () => {
      await world?.close();
      await registry?.close();
    });

    const create = async (plural: string, objectName: string, content: object) => {
      const kind = { secrets: 'Secret', serviceaccounts: 'ServiceAccount' }[plural];
      const body = { apiVersion: 'v1', kind, metadata: { name: objectName }, ...content };
      const { status } = await world.call('POST', `/api/v1/namespaces/default/${plural}`, body);
      assert.equal(status, 201);
    };
    let runs = 0;
    /** A run that made an image; how signing it ended, and why. */
    const signed = async (spec: object) => {
      runs += 1;
      const run = `run-${runs}`;
      const hex = String(runs).repeat(64).slice(0, 64);
      const results = [
        { name: 'IMAGE_URL', value: `${registry.host}/acme/app` },
        { name: 'IMAGE_DIGEST', value: `sha256:${hex}` },
      ];
      await world.createRun(run, { spec: { ...spec }, status: { ...doneStatus, results } });
      const now = await ended(world, run);
      return [mark(now, 'signed'), mark(now, 'message') ?? '', hex] as const;
    };
    const isThere = (hex: string) =>
      assert.ok(at(registry.contents('acme/app').manifest(`sha256-${hex}.sig`).json, 'layers'));

    test("a Secret among the service account's secrets", async () => {
      const [state, message, hex] = await signed({ serviceAccountName: 'by-secrets' });
      assert.deepEqual([state, message], ['true', '']);
      isThere(hex);
    });

    test('an imagePullSecret, after a wrong one and one that is gone', async () => {
      const [state, message, hex] = await signed({ serviceAccountName: 'by-pull-secrets' });
      assert.deepEqual([state, message], ['true', '']);
      isThere(hex);
    });

    test('an imagePullSecret of the pod template', async () => {
      const podTemplate = { imagePullSecrets: [{ name: 'right' }] };
      const [state, message, hex] = await signed({ serviceAccountName: 'without', podTemplate });
      assert.deepEqual([state, message], ['true', '']);
      isThere(hex);
    });

    const command = (secret: string) =>
      `kubectl create secret docker-registry ${secret} -n default --docker-server=${registry.host} --docker-username=USER --docker-password=PASSWORD`;
    const link = (account: string, secret: string) =>
      ` && kubectl patch serviceaccount ${account} -n default -p '{"imagePullSecrets":[{"name":"${secret}"}]}'`;
    const made = () => `registry-${registry.host.replaceAll(':', '-')}`;
    const why: Readonly<Record<string, () => string>> = {
      unrelated: () =>
        'the Secret default/unrelated is of the type Opaque, not kubernetes.io/dockerconfigjson',
      'for-others': () => `the Secret default/for-others has no entry for ${registry.host}`,
      many: () => 'the Secret default/many has 44 entries too many, or whose names are too long',
      slashes: () => 'the Secret default/slashes has 1 entries too many, or whose names are too long',
    };
    for (const [secret, reason] of Object.entries(why))
      test(`a Secret that is ignored (${secret}) is named, with the reason and the commands that make a right one`, async () => {
        const account = `only-${secret}`;
        const [state, message] = await signed({ serviceAccountName: account });
        assert.equal(state, 'failed');
        assert.ok(message.includes(reason()), message);
        assert.ok(message.includes(command(made()) + link(account, made())), message);
        assert.doesNotMatch(message, /hidden-word/);
      });

    test('a Secret that is missing is named, with the command that makes it', async () => {
      const [, message] = await signed({ serviceAccountName: 'only-gone' });
      assert.ok(message.includes('the Secret default/gone is missing'), message);
      assert.ok(message.includes(command('gone')), message);
      assert.doesNotMatch(message, /kubectl patch/);
    });

    test('a service account that is missing is named; one without a Secret for registries gets the commands', async () => {
      const [, missing] = await signed({ serviceAccountName: 'nobody' });
      assert.ok(missing.includes('the service account default/nobody is missing'), missing);
      const [, without] = await signed({ serviceAccountName: 'with-git' });
      assert.ok(without.includes(command(made()) + link('with-git', made())), without);
      assert.doesNotMatch(without, /for-git/);
    });

    test('what is not a name is neither asked for nor put into a command, and of many only some are read', async () => {
      const imagePullSecrets = [
        { name: 'x; rm -rf /' },
        { name: '../secrets/right' },
        ...Array.from({ length: 900 }, (_, index) => ({ name: `no-${index}` })),
      ];
      const [, message] = await signed({ serviceAccountName: 'without', podTemplate: { imagePullSecrets } });
      assert.ok(message.includes("the Secret default/x; rm -rf / can't exist: that is not a name"), message);
      assert.ok(message.includes('more problems'), message);
      assert.doesNotMatch(message, /docker-registry x;/);
    });

    test('without a credential the run ends as failed, and says who refused', async () => {
      const [state, message] = await signed({ serviceAccountName: 'without' });
      assert.equal(state, 'failed');
      assert.match(message, /the registry answered 401; tried: anonymous/);
    });
  });
}
