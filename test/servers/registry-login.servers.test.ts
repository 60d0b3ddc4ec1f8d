import assert from 'node:assert/strict';
import { createPrivateKey, randomUUID, sign, X509Certificate } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import type { RegistrySecret } from '../../src/model/cluster-access.ts';
import { portOf } from '../../sandbox/port.ts';
import { createAuthority, type Pair } from '../kubernetes/certificates.ts';
import {
  assertSigned,
  errorsOf,
  newKey,
  openSigning,
  signRunOf,
  type TestRegistry,
} from '../store/oci/world.ts';
import { temporaryFolder } from './process.ts';
import { startDockerRegistry } from './registries.ts';

const password = 'secret-of-robot';
/** bcrypt of the password. */
const hash = '$2b$04$vBkjPWRYBJ/suu3VYvUa.ufFyP5Vq.YUuDtyYuZ7bH3RJkjmYD.mi';

/** Gives the tokens that docker-registry believes: JSON Web Tokens signed by a certificate that it was told of. */
async function startTokenServer(
  pair: Pair,
): Promise<{ readonly realm: string; readonly asked: string[]; close(): Promise<unknown> }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const scopes = url.searchParams.getAll('scope').flatMap((scope) => scope.split(' '));
    asked.push(scopes.toSorted((one, other) => one.localeCompare(other)).join(' '));
    const login = `Basic ${Buffer.from(`robot:${password}`).toString('base64')}`;
    const access = scopes.map((scope) => {
      const [type, name, actions = ''] = scope.split(':');
      return { type, name, actions: actions.split(',') };
    });
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: 'test',
      sub: 'robot',
      aud: url.searchParams.get('service'),
      exp: now + 60,
      nbf: now - 10,
      iat: now,
    };
    const header = { typ: 'JWT', alg: 'ES256', x5c: [new X509Certificate(pair.cert).raw.toString('base64')] };
    const text = [header, { ...claims, jti: randomUUID(), access }]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    const key = { key: createPrivateKey(pair.key), dsaEncoding: 'ieee-p1363' } as const;
    const token = `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`;
    response.statusCode = request.headers.authorization === login ? 200 : 401;
    response.end(response.statusCode === 200 ? JSON.stringify({ token, expires_in: 60 }) : '{}');
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    realm: `http://localhost:${portOf(server.address())}/token`,
    asked,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

suite('logging in to the real docker-registry', () => {
  const key = newKey();
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  before(async () => {
    folder = await temporaryFolder('registry-login');
  });
  after(() => folder.remove());

  const signWith = async (
    registry: TestRegistry,
    auths: object,
    repositories: readonly string[] = ['acme/app'],
  ) => {
    const secret: RegistrySecret = {
      name: 'ci/robot',
      type: 'kubernetes.io/dockerconfigjson',
      text: JSON.stringify({ auths }),
    };
    const pipeline = openSigning(key.privateKey, {}, { access: { registrySecrets: async () => [secret] } });
    const images = repositories.map((path) => `${registry.host}/${path}@sha256:${'1'.repeat(64)}`);
    const outcome = await signRunOf(pipeline, ...images);
    await pipeline.close();
    return outcome;
  };

  test('by a password with every request', async () => {
    const path = join(folder.path, 'htpasswd');
    await writeFile(path, `robot:${hash}\n`);
    const registry = await startDockerRegistry({ auth: { htpasswd: { realm: 'test', path } } });
    try {
      const wrong = await signWith(registry, { [registry.host]: { username: 'robot', password: 'wrong' } });
      assert.match(errorsOf(wrong).join(), /answered 401; tried: the Secret ci\/robot, anonymous/);
      assertSigned(await signWith(registry, { [registry.host]: { username: 'robot', password } }));
    } finally {
      await registry.close();
    }
  });

  test('by tokens for the scopes that it asks for, two at once for a mount', async () => {
    const authority = createAuthority('a token authority');
    const tokens = await startTokenServer(authority.issue('tokens'));
    const rootcertbundle = join(folder.path, 'ca.pem');
    await writeFile(rootcertbundle, authority.cert);
    const auth = { token: { realm: tokens.realm, service: 'registry', issuer: 'test', rootcertbundle } };
    const registry = await startDockerRegistry({ auth });
    try {
      const wrong = await signWith(registry, { [registry.host]: { username: 'robot', password: 'wrong' } });
      assert.match(errorsOf(wrong).join(), /answered 401; tried: the Secret ci\/robot, anonymous/);
      const auths = { [registry.host]: { username: 'robot', password } };
      assertSigned(await signWith(registry, auths, ['acme/app', 'acme/two']));
      assert.ok(
        tokens.asked.some((scopes) =>
          /^repository:acme\/app:pull repository:acme\/two:pu(ll,push|sh,pull)$/.test(scopes),
        ),
        tokens.asked.join('\n'),
      );
    } finally {
      await registry.close();
      await tokens.close();
    }
  });
});
