import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { test, type TestContext } from 'node:test';
import { portOf } from '../../../sandbox/port.ts';
import { digest } from '../../runs.ts';
import { errorsOf, newKey, openSigning, signRunOf } from './world.ts';

type Handler = (request: IncomingMessage, response: ServerResponse, asked: number) => unknown;

/** Signs an image of a registry that answers everything like this; gives the errors and how often it was asked. */
async function signedAt(context: TestContext, handle: Handler, data: Readonly<Record<string, string>> = {}) {
  let asked = 0;
  const server = createServer((request, response) => {
    asked += 1;
    // Only what comes after the look whether there is a registry at all.
    if (request.url === '/v2/') response.end();
    else handle(request, response, asked);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const pipeline = openSigning(newKey().privateKey, {
    'artifacts.taskrun.storage': '',
    'limits.exchange-timeout': '1s',
    ...data,
  });
  const began = performance.now();
  const outcome = await signRunOf(pipeline, `127.0.0.1:${portOf(server.address())}/acme/app@${digest('a')}`);
  await pipeline.close();
  return { errors: errorsOf(outcome).join('\n'), asked, took: performance.now() - began };
}

const bearer = (scope: string, realm = '/token') =>
  `Bearer realm="${realm}",service="s",scope="repository:acme/app:${scope}"`;

test('a registry that never answers ends at the deadline of an exchange', async (t) => {
  const { errors, took } = await signedAt(t, () => {});
  assert.match(errors, /STORE_UNAVAILABLE: .*no whole answer within 1 s \(limits\.exchange-timeout\)/);
  assert.ok(took < 20_000);
});

test('a byte now and then does not keep an exchange alive', async (t) => {
  const { errors, took } = await signedAt(t, (_, response) => {
    response.writeHead(200, { 'content-type': 'application/vnd.oci.image.manifest.v1+json' });
    const timer = setInterval(() => response.write(' '), 200);
    response.on('close', () => clearInterval(timer));
  });
  assert.match(errors, /no whole answer within 1 s/);
  assert.ok(took < 20_000);
});

test('storing ends at the deadline of a store, however often it makes progress', async (t) => {
  const data = { 'limits.exchange-timeout': '30s', 'limits.store-timeout': '1s' };
  const { errors, took } = await signedAt(t, () => {}, data);
  assert.match(errors, /STORE_UNAVAILABLE: storing a{12} in oci \(limits\.store-timeout\): .* 1 s/);
  assert.ok(took < 20_000);
});

test('a registry that asks for another scope each time gets a bounded number of requests', async (t) => {
  const { errors, asked } = await signedAt(
    t,
    (request, response, count) => {
      const host = request.headers.host ?? '';
      if (request.url?.startsWith('/token') === true) {
        response.end(JSON.stringify({ token: `t${count}` }));
        return;
      }
      response.writeHead(401, { 'www-authenticate': bearer(`scope${count}`, `http://${host}/token`) });
      response.end();
    },
    { 'limits.exchange-timeout': '30s' },
  );
  assert.match(errors, /STORE_REFUSED: .*answered 401/);
  assert.ok(asked < 100, `${asked} requests`);
});

test('a manifest, or a token, that is longer than any is not read', async (t) => {
  let sent = 0;
  const endless = (response: ServerResponse) => {
    const more = () => {
      sent += 1 << 20;
      if (sent < 64 << 20) response.write(Buffer.alloc(1 << 20, 32), more);
    };
    more();
  };
  const manifest = await signedAt(
    t,
    (_, response) => {
      response.writeHead(200, { 'content-type': 'application/vnd.oci.image.manifest.v1+json' });
      endless(response);
    },
    { 'limits.exchange-timeout': '30s' },
  );
  assert.match(manifest.errors, /the answer is longer than 4194304 bytes/);
  assert.ok(sent < 32 << 20, `${sent} bytes were taken`);
  sent = 0;
  const token = await signedAt(
    t,
    (request, response) => {
      const host = request.headers.host ?? '';
      if (request.url?.startsWith('/token') === true) endless(response);
      else {
        response.writeHead(401, { 'www-authenticate': bearer('pull', `http://${host}/token`) });
        response.end();
      }
    },
    { 'limits.exchange-timeout': '30s' },
  );
  assert.match(token.errors, /the answer is longer than 65536 bytes/);
});

test('a manifest of very many values, or very deep ones, is refused before it is parsed', async (t) => {
  for (const body of [`[${'[],'.repeat(300_000)}[]]`, '['.repeat(100_000)]) {
    const { errors } = await signedAt(t, (_, response) => {
      response.writeHead(200, { 'content-type': 'application/vnd.oci.image.manifest.v1+json' });
      response.end(body);
    });
    assert.match(errors, /^STORE_UNAVAILABLE: .*is not a JSON object/);
  }
});

test('pages of referrers without end are refused', async (t) => {
  const type = 'application/vnd.oci.image.index.v1+json';
  const { errors, asked } = await signedAt(
    t,
    (request, response, count) => {
      const url = request.url ?? '';
      if (!url.includes('/referrers/')) {
        response.writeHead(200, { 'content-type': 'application/vnd.oci.image.manifest.v1+json' });
        response.end('{}');
        return;
      }
      response.writeHead(200, {
        'content-type': type,
        link: `<${url.split('?')[0] ?? ''}?n=${count}>; rel="next"`,
      });
      response.end('{"manifests":[]}');
    },
    { 'storage.oci.encoding-format': 'sigstore-bundle', 'limits.exchange-timeout': '30s' },
  );
  assert.ok(
    /referrers, or 32 pages/.test(errors) || /other content than the digest names/.test(errors),
    errors,
  );
  assert.ok(asked < 60, `${asked} requests`);
});

test('a registry that never shows what was written gets few writes', async (t) => {
  let writes = 0;
  const { errors } = await signedAt(
    t,
    (request, response) => {
      const url = request.url ?? '';
      if (request.method === 'PUT' && url.includes('/manifests/')) writes += 1;
      if (request.method === 'POST') response.writeHead(202, { location: `${url}1` });
      else if (request.method === 'PUT') response.writeHead(201);
      else response.writeHead(404);
      response.end();
    },
    { 'limits.exchange-timeout': '30s' },
  );
  assert.match(errors, /STORE_UNAVAILABLE: .*doesn't show it/);
  assert.ok(writes <= 4, `${writes} writes`);
});

test('a long blob that is there already is not taken for a long answer', async (t) => {
  const { errors } = await signedAt(t, (request, response) => {
    if (request.method === 'HEAD' && request.url?.includes('/blobs/') === true) {
      response.writeHead(200, { 'content-length': String(1 << 30) });
    } else
      response.writeHead(request.method === 'PUT' ? 201 : request.method === 'POST' ? 202 : 404, {
        location: '/v2/x',
      });
    response.end();
  });
  assert.doesNotMatch(errors, /longer than/);
});

test('a place for an upload that is on plain HTTP elsewhere, or no URL, is one clear error', async (t) => {
  for (const [location, reason] of [
    ['http://169.254.169.254/latest', /link-local address, where the registry itself is not/],
    ['http://[', /which is not a URL/],
  ] as const) {
    const { errors } = await signedAt(t, (request, response) => {
      if (request.method === 'POST') response.writeHead(202, { location });
      else response.writeHead(404);
      response.end();
    });
    assert.match(errors, reason);
  }
});
