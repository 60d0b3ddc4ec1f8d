import assert from 'node:assert/strict';
import { test } from 'node:test';
import { helperFor, helperHost, parseHelperAnswer } from '../../src/registry/credential-helper.ts';
import { coversRepository, parseDockerConfig } from '../../src/registry/docker-config.ts';
import { parseRepository, type Repository } from '../../src/registry/repository.ts';

const repository = (name: string): Repository => {
  const parsed = parseRepository(name);
  assert.ok(parsed, name);
  return parsed;
};
const base64 = (text: string) => Buffer.from(text).toString('base64');

/** Keys of `auths`, a repository, and whether the one is for the other. */
const coverage: readonly (readonly [string, string, boolean])[] = [
  ['https://index.docker.io/v1/', 'busybox', true],
  ['docker.io', 'index.docker.io/acme/app', true],
  ['registry-1.docker.io', 'index.docker.io/acme/app', true],
  ['https://ghcr.io', 'ghcr.io/acme/app', true],
  ['ghcr.io/acme', 'ghcr.io/acme/app', true],
  ['ghcr.io/acme/app', 'ghcr.io/acme/app', true],
  ['ghcr.io/acm', 'ghcr.io/acme/app', false],
  ['ghcr.io/acme/app/more', 'ghcr.io/acme/app', false],
  ['*.azurecr.io', 'acme.azurecr.io/app', true],
  ['*.azurecr.io', 'a.b.azurecr.io/app', false],
  ['*.azurecr.io', 'azurecr.io.evil.example/app', false],
  ['localhost', 'localhost:5000/app', false],
  ['localhost:5000', 'localhost:5000/app', true],
  ['[::1]:5000', '[::1]:5000/app', true],
  ['gcr.io', 'eu-gcr.io/app', false],
];

for (const [key, name, covers] of coverage)
  test(`an entry for ${key} is ${covers ? '' : 'not '}for ${name}`, () => {
    const { auths } = parseDockerConfig(
      JSON.stringify({ auths: { [key]: { auth: base64('a:b') } } }),
      'test',
    );
    assert.equal(coversRepository(auths[0]?.key ?? '', repository(name)), covers);
  });

test('credentials in every writing', () => {
  const entries = {
    'auth.example': { auth: base64('me:with:colons\0') },
    'pair.example': { username: 'me', password: 'word' },
    'gcr.io': { auth: base64('_json_key:{"a": 1}') },
    'identity.example': { auth: base64('00000000-0000-0000-0000-000000000000:'), identitytoken: 'refresh' },
    'registry.example': { registrytoken: 'access' },
    'empty.example': {},
    'odd.example': { auth: base64('no colon') },
    'list.example': [],
  };
  const { auths } = parseDockerConfig(JSON.stringify({ auths: entries }), 'test');
  assert.deepEqual(Object.fromEntries(auths.map(({ key, credential }) => [key, credential])), {
    'auth.example': { kind: 'password', username: 'me', password: 'with:colons' },
    'pair.example': { kind: 'password', username: 'me', password: 'word' },
    'gcr.io': { kind: 'password', username: '_json_key', password: '{"a": 1}' },
    'identity.example': { kind: 'identity', token: 'refresh' },
    'registry.example': { kind: 'registry', token: 'access' },
  });
});

test('the program for a host goes before the one for all; names that are paths are not taken', () => {
  const config = parseDockerConfig(
    '{"credsStore":"desktop","credHelpers":{"1.dkr.ecr.eu-west-1.amazonaws.com":"ecr-login","ghcr.io":"../evil"}}',
    'test',
  );
  assert.equal(helperFor(config, repository('1.dkr.ecr.eu-west-1.amazonaws.com/app')), 'ecr-login');
  assert.equal(helperFor(config, repository('ghcr.io/acme/app')), 'desktop');
  assert.equal(helperFor(parseDockerConfig('{}', 'test'), repository('ghcr.io/acme/app')), undefined);
});

test('programs know Docker Hub by its old URL, and say with <token> that they give an identity token', () => {
  assert.equal(helperHost(repository('busybox')), 'https://index.docker.io/v1/');
  assert.equal(helperHost(repository('ghcr.io/acme/app')), 'ghcr.io');
  assert.deepEqual(parseHelperAnswer('{"Username":"<token>","Secret":"refresh"}'), {
    kind: 'identity',
    token: 'refresh',
  });
  assert.equal(parseHelperAnswer('{"Username":"me","Secret":""}'), undefined);
});
