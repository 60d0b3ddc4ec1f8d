import assert from 'node:assert/strict';
import { test } from 'node:test';
import { apiHost, isLocal, parseRepository, repositoryName } from '../../src/registry/repository.ts';

/** Names, and what they are the repository of; undefined for what is none. */
const names: Readonly<Record<string, string | undefined>> = {
  busybox: 'index.docker.io/library/busybox',
  'acme/app': 'index.docker.io/acme/app',
  'docker.io/acme/app': 'index.docker.io/acme/app',
  'ghcr.io/acme/app': 'ghcr.io/acme/app',
  'localhost/app': 'localhost/app',
  'localhost:5000/a/b/c': 'localhost:5000/a/b/c',
  '[::1]:5000/app': '[::1]:5000/app',
  'harbor.example.com/my_project/my-app__x': 'harbor.example.com/my_project/my-app__x',
  'https://github.com/acme/app': undefined,
  'git+https://github.com/acme/app.git': undefined,
  'pkg:npm/acme': undefined,
  'gs://bucket/file': undefined,
  'ghcr.io/acme/-odd_.': 'ghcr.io/acme/-odd_.',
  'ghcr.io/Acme/app': undefined,
  'ghcr.io/..': undefined,
  'ghcr.io/acme/../app': undefined,
  'ghcr.io/acme//app': undefined,
  'ghcr.io/': undefined,
  'ghcr.io@evil.example/app': undefined,
  '': undefined,
};

for (const [name, expected] of Object.entries(names))
  test(`${name === '' ? 'nothing' : name} is ${expected ?? 'no repository'}`, () => {
    const repository = parseRepository(name);
    assert.equal(repository && repositoryName(repository), expected);
  });

test('the API of Docker Hub is at another host', () => {
  assert.equal(apiHost('index.docker.io'), 'registry-1.docker.io');
  assert.equal(apiHost('ghcr.io'), 'ghcr.io');
});

test('plain HTTP is only for this machine and the local network', () => {
  for (const host of [
    'localhost',
    'localhost:5000',
    '127.0.0.1:5000',
    '127.1.2.3',
    '[::1]:5000',
    'registry.local',
  ])
    assert.ok(isLocal(host), host);
  for (const host of [
    'ghcr.io',
    'localhost.example.com',
    '127.0.0.1.example.com',
    '10.0.0.1:5000',
    'locals.locale',
  ])
    assert.ok(!isLocal(host), host);
});
