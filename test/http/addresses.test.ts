import assert from 'node:assert/strict';
import { test } from 'node:test';
import { redirectFault, scopeOf } from '../../src/http/addresses.ts';

const fault = (from: string, to: string) => redirectFault(new URL(from), new URL(to, from));

for (const [host, reach] of [
  ['localhost', 'loopback'],
  ['a.localhost', 'loopback'],
  ['127.1.2.3', 'loopback'],
  ['[::1]', 'loopback'],
  ['0.0.0.0', 'loopback'],
  ['[::ffff:127.0.0.1]', 'loopback'],
  ['169.254.169.254', 'link-local'],
  ['[fe80::1]', 'link-local'],
  ['10.0.0.1', 'private'],
  ['172.31.255.255', 'private'],
  ['192.168.0.1', 'private'],
  ['100.64.0.1', 'private'],
  ['[fd00::1]', 'private'],
  ['[::ffff:10.0.0.1]', 'private'],
  ['172.32.0.1', 'public'],
  ['8.8.8.8', 'public'],
  ['ghcr.io', 'public'],
] as const) {
  test(`${host} is ${reach}`, () => assert.equal(scopeOf(new URL(`http://${host}`).hostname), reach));
}

for (const [from, to, reason] of [
  ['https://ghcr.io/v2/', 'http://ghcr.io/x', /HTTPS to plain HTTP/],
  ['https://ghcr.io/v2/', 'http://cdn.example.com/x', /HTTPS to plain HTTP/],
  ['https://ghcr.io/v2/', 'https://169.254.169.254/latest', /link-local address/],
  ['https://ghcr.io/v2/', 'https://127.0.0.1:8080/', /loopback address/],
  ['https://ghcr.io/v2/', 'https://localhost/', /loopback address/],
  ['https://ghcr.io/v2/', 'https://0x7f.1/', /loopback address/],
  ['https://ghcr.io/v2/', 'https://2130706433/', /loopback address/],
  ['https://ghcr.io/v2/', 'https://[::ffff:a00:1]/', /private address/],
  ['https://ghcr.io/v2/', 'https://10.0.0.1/', /private address/],
  ['http://10.0.0.1/v2/', 'http://127.0.0.1:8080/', /loopback address/],
  ['http://10.0.0.1/v2/', 'http://169.254.169.254/', /link-local address/],
  ['https://ghcr.io/v2/', 'ftp://ghcr.io/', /not an HTTP URL/],
  ['https://ghcr.io/v2/', 'https://user:word@ghcr.io/', /user information/],
] as const) {
  test(`${from} may not lead to ${to}`, () => assert.match(fault(from, to) ?? '', reason));
}

for (const [from, to] of [
  ['https://ghcr.io/v2/', '/v2/next'],
  ['https://ghcr.io/v2/', 'https://cdn.example.com/blob'],
  ['http://registry.example.com/v2/', 'https://auth.example.com/token'],
  ['http://10.0.0.1:5000/v2/', 'http://10.0.0.2/token'],
  ['http://127.0.0.1:5000/v2/', 'http://localhost:6000/token'],
] as const) {
  test(`${from} may lead to ${to}`, () => assert.equal(fault(from, to), undefined));
}
