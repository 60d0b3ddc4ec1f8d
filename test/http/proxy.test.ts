import assert from 'node:assert/strict';
import { test } from 'node:test';
import { proxyFor as proxyForUrl } from '../../src/http/proxy.ts';

const proxyFor = (server: string, environment: NodeJS.ProcessEnv) =>
  proxyForUrl(new URL(server), environment);

const proxied = { HTTPS_PROXY: 'http://proxy:3128' };
const server = 'https://10.96.0.1:6443';

test('HTTPS_PROXY is for https servers, HTTP_PROXY for http ones, in either case of letters', () => {
  assert.equal(proxyFor(server, proxied)?.href, 'http://proxy:3128/');
  assert.equal(proxyFor('http://api', proxied), undefined);
  assert.equal(proxyFor('http://api', { http_proxy: 'proxy:8080' })?.href, 'http://proxy:8080/');
  assert.equal(proxyFor(server, {}), undefined);
});

for (const [exceptions, address, straight] of [
  ['10.96.0.0/12', server, true],
  ['10.0.0.0/16', server, false],
  ['10.96.0.1', server, true],
  ['10.96.0.1:6443', server, true],
  ['10.96.0.1:443', server, false],
  ['fd00::/8', 'https://[fd00::1]:6443', true],
  ['[fd00::1]:6443', 'https://[fd00::1]:6443', true],
  ['fd00::1', 'https://[fd00::1]:6443', true],
  ['fd00::/8', server, false],
  ['example.test', 'https://api.example.test', true],
  ['example.test', 'https://example.test', true],
  ['.example.test', 'https://api.example.test', true],
  ['*.example.test', 'https://api.example.test', true],
  ['.example.test', 'https://example.test', false],
  ['example.test', 'https://badexample.test', false],
  ['a.test, EXAMPLE.test', 'https://api.example.test', true],
  ['*', server, true],
  ['', server, false],
  ['10.96.0.0/99', server, false],
] as const) {
  test(`NO_PROXY=${exceptions} sends ${address} ${straight ? 'straight' : 'by the proxy'}`, () => {
    const proxy = proxyFor(address, { ...proxied, NO_PROXY: exceptions });
    assert.equal(proxy === undefined, straight);
  });
}

test('loopback is never proxied', () => {
  for (const host of ['localhost', '127.0.0.1', '127.1.2.3', '[::1]']) {
    assert.equal(proxyFor(`https://${host}:6443`, proxied), undefined);
  }
});

test("a proxy that is not an HTTP proxy is an error that doesn't show its password", () => {
  assert.throws(
    () => proxyFor(server, { HTTPS_PROXY: 'ftp://user:hunter2@proxy' }),
    (error: Error) => {
      return (
        error.message.startsWith('HTTPS_PROXY: must be the URL of an HTTP proxy') &&
        !error.message.includes('hunter2')
      );
    },
  );
});
