import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, suite, test } from 'node:test';
import type { RegistrySecret } from '../../src/model/cluster-access.ts';
import {
  type GuardOptions,
  type RegistryUser,
  type SandboxRegistry,
  startRegistry,
} from '../../sandbox/registry/index.ts';
import { assertSigned, errorsOf, newKey, openSigning, signRunOf } from '../store/oci/world.ts';

const robot: RegistryUser = { name: 'robot', password: 'secret-of-robot', identityToken: 'refresh-of-robot' };
const reader: RegistryUser = { name: 'reader', password: 'secret-of-reader', mayPush: false };
const users = [robot, reader];
const login = ({ name, password }: RegistryUser) => ({
  auth: Buffer.from(`${name}:${password}`).toString('base64'),
});
const wrong = { username: 'robot', password: 'wrong-password' };

suite('credentials of the store oci', () => {
  const key = newKey();
  const environment = { DOCKER_CONFIG: process.env['DOCKER_CONFIG'], PATH: process.env['PATH'] };
  let folder: string;
  let registry: SandboxRegistry;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'docker-config-'));
    process.env['DOCKER_CONFIG'] = folder;
    process.env['PATH'] = `${folder}:${environment.PATH}`;
  });
  afterEach(async () => {
    await registry.close();
    await rm(join(folder, 'config.json'), { force: true });
  });
  after(async () => {
    for (const [name, value] of Object.entries(environment)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    await rm(folder, { recursive: true });
  });

  const secret = (name: string, auths: object): RegistrySecret => ({
    name: `ci/${name}`,
    type: 'kubernetes.io/dockerconfigjson',
    text: JSON.stringify({ auths }),
  });
  const guarded = async (scheme: GuardOptions['scheme'], more: Partial<GuardOptions> = {}) => {
    registry = await startRegistry({ guard: { scheme, users, ...more } });
  };
  const ownConfig = (config: object) => writeFile(join(folder, 'config.json'), JSON.stringify(config));
  const image = () => `${registry.host}/acme/app@sha256:${'1'.repeat(64)}`;
  const layersOf = (suffix: string) => {
    const { json } = registry.contents('acme/app').manifest(`sha256-${'1'.repeat(64)}.${suffix}`);
    return Array.isArray(json['layers']) ? json['layers'] : [];
  };
  /** Signs with these Secrets, and gives the errors. */
  const sign = async (secrets: readonly RegistrySecret[]) => {
    const access = { registrySecrets: async () => secrets };
    const pipeline = openSigning(key.privateKey, {}, { access });
    const outcome = await signRunOf(pipeline, image());
    await pipeline.close();
    return errorsOf(outcome);
  };
  const works = async (secrets: readonly RegistrySecret[]) => {
    assert.deepEqual(await sign(secrets), []);
    assert.deepEqual([layersOf('sig').length, layersOf('att').length], [1, 1]);
  };

  for (const scheme of ['token', 'basic'] as const) {
    test(`${scheme}: a Secret of the run lets in`, async () => {
      await guarded(scheme);
      await works([secret('one', { [registry.host]: login(robot) })]);
    });

    test(`${scheme}: without a credential the message says that none was tried but being anonymous`, async () => {
      await guarded(scheme);
      const [error = ''] = await sign([]);
      assert.match(error, /^STORE_REFUSED: .*the registry answered 401; tried: anonymous/);
    });

    test(`${scheme}: after a wrong credential the next is tried, whichever Secret has it`, async () => {
      await guarded(scheme);
      await works([
        secret('wrong', { [registry.host]: wrong }),
        secret('right', { [registry.host]: login(robot) }),
      ]);
    });

    test(`${scheme}: after one that may not push the next is tried`, async () => {
      await guarded(scheme);
      await works([
        secret('reader', { [registry.host]: login(reader) }),
        secret('robot', { [registry.host]: login(robot) }),
      ]);
    });

    test(`${scheme}: when all are refused, the message names their sources and no secret`, async () => {
      await guarded(scheme);
      const [error = ''] = await sign([
        secret('wrong', { [registry.host]: wrong }),
        secret('reader', { [registry.host]: login(reader) }),
      ]);
      assert.match(error, /tried: the Secret ci\/wrong, the Secret ci\/reader, anonymous/);
      assert.doesNotMatch(error, /wrong-password|secret-of/);
    });
  }

  test('a kubernetes.io/dockercfg Secret is only its auths', async () => {
    await guarded('basic');
    const text = JSON.stringify({ [`https://${registry.host}/v1/`]: login(robot) });
    await works([{ name: 'ci/old', type: 'kubernetes.io/dockercfg', text }]);
  });

  test('the longest matching path goes first', async () => {
    await guarded('token');
    const host = registry.host;
    await works([
      secret('host', { [host]: wrong }),
      secret('other', { [`${host}/acme/ap`]: wrong, [`${host}/acme`]: login(robot) }),
    ]);
    const denied = registry.requests.filter(({ path, status }) => path === '/token' && status === 401);
    assert.equal(denied.length, 0);
  });

  test('an identity token is exchanged for access tokens', async () => {
    await guarded('token');
    await works([secret('identity', { [registry.host]: { identitytoken: 'refresh-of-robot' } })]);
    assert.ok(registry.requests.some(({ method, path }) => method === 'POST' && path === '/token'));
  });

  test('an open registry takes us with a wrong credential, too', async () => {
    registry = await startRegistry();
    await works([secret('wrong', { [registry.host]: wrong })]);
  });

  test('our own Docker configuration comes last', async () => {
    await guarded('token');
    await ownConfig({ auths: { [registry.host]: login(robot) } });
    await works([secret('wrong', { [registry.host]: wrong })]);
  });

  test('a credential program is asked for its registry', async () => {
    await guarded('token');
    await ownConfig({ credHelpers: { [registry.host]: 'test' } });
    const program = join(folder, 'docker-credential-test');
    const answer = JSON.stringify({ ServerURL: '', Username: 'robot', Secret: robot.password });
    await writeFile(program, `#!/bin/sh\n{ echo "$1"; cat; } > '${folder}/asked'\necho '${answer}'\n`);
    await chmod(program, 0o755);
    await works([]);
    assert.equal(await readFile(join(folder, 'asked'), 'utf8'), `get\n${registry.host}`);
  });

  test('credsStore serves all registries; what fails of it is in the message', async () => {
    await guarded('token');
    await ownConfig({ credsStore: 'broken' });
    const program = join(folder, 'docker-credential-broken');
    await writeFile(program, '#!/bin/sh\necho secret-on-stdout\necho secret-on-stderr >&2\nexit 3\n');
    await chmod(program, 0o755);
    const [error = ''] = await sign([]);
    assert.match(error, /tried: anonymous; docker-credential-broken ended with 3/);
    assert.doesNotMatch(error, /secret-on/);
    await ownConfig({ credsStore: 'missing' });
    assert.match((await sign([]))[0] ?? '', /docker-credential-missing failed: spawn .*ENOENT/);
  });

  test('a Secret or configuration that is not JSON is named, without its text', async () => {
    await guarded('token');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'config.json'), '{ not-json');
    const text = 'not-json-either';
    const [error = ''] = await sign([{ name: 'ci/odd', type: 'kubernetes.io/dockerconfigjson', text }]);
    assert.match(error, /the Secret ci\/odd holds no JSON; .*config\.json holds no JSON/);
    assert.doesNotMatch(error, /not-json/);
  });

  test('Secrets are only asked for when the registry wants to see a credential', async () => {
    registry = await startRegistry();
    const access = { registrySecrets: () => assert.fail('asked') };
    const pipeline = openSigning(key.privateKey, {}, { access });
    assertSigned(await signRunOf(pipeline, image()));
    await pipeline.close();
  });

  test('tokens are kept from one run to the next, until they expire or are revoked', async () => {
    await guarded('token');
    const access = { registrySecrets: async () => [secret('one', { [registry.host]: login(robot) })] };
    const pipeline = openSigning(key.privateKey, {}, { access });
    assertSigned(await signRunOf(pipeline, image()));
    const given = registry.guard?.given ?? 0;
    assertSigned(await signRunOf(pipeline, image().replaceAll('1'.repeat(64), '2'.repeat(64))));
    assert.equal(registry.guard?.given, given);
    registry.guard?.revoke();
    assertSigned(await signRunOf(pipeline, image().replaceAll('1'.repeat(64), '3'.repeat(64))));
    assert.ok((registry.guard?.given ?? 0) > given);
    await pipeline.close();
  });

  test('tokens that are good for one request still get everything through', async () => {
    await guarded('token');
    const guard = registry.guard ?? assert.fail();
    const admit = guard.admit.bind(guard);
    const used = new Set<string | undefined>();
    guard.admit = (token, request) => {
      admit(used.has(token) ? undefined : token, request);
      used.add(token);
    };
    await works([secret('one', { [registry.host]: login(robot) })]);
  });

  test('a token that expires before its first use is renewed', async () => {
    await guarded('token');
    const guard = registry.guard ?? assert.fail();
    const token = guard.token.bind(guard);
    guard.token = (...request) => {
      const given = token(...request);
      if (guard.given > 1) return given;
      guard.revoke();
      return { ...given, expires_in: 0.000_001 };
    };
    await works([secret('one', { [registry.host]: login(robot) })]);
  });

  test('a new token that is refused before it expires is not asked for again', async () => {
    await guarded('token');
    const guard = registry.guard ?? assert.fail();
    const token = guard.token.bind(guard);
    guard.token = (...request) => {
      const given = token(...request);
      guard.revoke();
      return given;
    };
    const [error = ''] = await sign([secret('one', { [registry.host]: login(robot) })]);
    assert.match(error, /tried: the Secret ci\/one, anonymous/);
    const answers = registry.requests.filter(({ path, status }) => path === '/token' && status === 200);
    assert.equal(answers.length, guard.given);
    assert.ok(guard.given <= 2, `${guard.given} tokens for two artifacts`);
  });

  test('what goes to several repositories of a registry is uploaded once and mounted', async () => {
    await guarded('token');
    const pipeline = openSigning(
      key.privateKey,
      { 'artifacts.oci.storage': '' },
      { access: { registrySecrets: async () => [secret('one', { [registry.host]: login(robot) })] } },
    );
    const names = ['app', 'two', 'three'].map((name) => image().replace('acme/app', `acme/${name}`));
    assertSigned(await signRunOf(pipeline, ...names));
    const mounts = registry.requests.filter(({ method, status }) => method === 'POST' && status === 201);
    assert.equal(mounts.length, 2);
    await pipeline.close();
  });

  test('where the first repository may not be read, it is uploaded again', async () => {
    const two = { name: 'two', password: 'secret-of-two', repositories: 'other/' };
    await guarded('token', { users: [robot, two] });
    const secrets = [
      secret('one', { [`${registry.host}/acme`]: login(robot), [`${registry.host}/other`]: login(two) }),
    ];
    const pipeline = openSigning(
      key.privateKey,
      { 'artifacts.oci.storage': '' },
      { access: { registrySecrets: async () => secrets } },
    );
    assertSigned(await signRunOf(pipeline, image(), image().replace('acme/app', 'other/app')));
    assert.ok(registry.contents('other/app').manifest(`sha256-${'1'.repeat(64)}.att`));
    await pipeline.close();
  });
});
