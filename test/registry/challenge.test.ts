import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseChallenge } from '../../src/registry/tokens.ts';

const bearer = (realm: string, service?: string, scope?: string) => ({
  scheme: 'bearer',
  realm,
  service,
  scope,
});

/** Challenges as registries send them. */
const challenges: readonly (readonly [string, readonly string[], object | undefined])[] = [
  [
    'Docker Hub',
    [
      'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:acme/app:pull,push"',
    ],
    bearer('https://auth.docker.io/token', 'registry.docker.io', 'repository:acme/app:pull,push'),
  ],
  [
    'two scopes, for a mount',
    ['Bearer realm="https://a/t",service="s",scope="repository:a:pull repository:b:pull,push"'],
    bearer('https://a/t', 's', 'repository:a:pull repository:b:pull,push'),
  ],
  [
    'no quotes, spaces and another case',
    ['BEARER Realm = https://a/t , Service=s'],
    bearer('https://a/t', 's'),
  ],
  [
    'quotes in quotes',
    [String.raw`Bearer realm="https://a/t",service="a \"b\", c"`],
    bearer('https://a/t', 'a "b", c'),
  ],
  [
    'Amazon ECR',
    ['Basic realm="https://1.dkr.ecr.eu-west-1.amazonaws.com/",service="ecr"'],
    { scheme: 'basic' },
  ],
  ['both in one header', ['Basic realm="x", Bearer realm="https://a/t"'], bearer('https://a/t')],
  ['both in two headers', ['Negotiate', 'Basic realm="x"'], { scheme: 'basic' }],
  ['a bearer without realm', ['Bearer error="invalid_token"'], undefined],
  ['nothing that we can meet', ['Negotiate', 'Digest realm="x"'], undefined],
  ['none', [], undefined],
];

for (const [name, headers, challenge] of challenges)
  test(`the challenge of ${name}`, () => assert.deepEqual(parseChallenge(headers), challenge));
