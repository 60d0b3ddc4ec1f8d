import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { parseConfig } from '../../src/config/parse.ts';
import { ChainsError } from '../../src/errors.ts';
import { identityToken } from '../../src/sign/fulcio/identity.ts';
import { openFulcioService } from '../../src/sign/fulcio/service.ts';
import { openGate, type Respond } from '../doubles/gate.ts';
import { startSpireAgent } from '../doubles/spire-agent.ts';

const jwt = (claims: object): string =>
  [{ alg: 'RS256' }, { iss: 'https://issuer', sub: 'somebody', ...claims }, 'signature']
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
const token = jwt({});

interface Asked {
  readonly data?: Readonly<Record<string, string>>;
  readonly environment?: NodeJS.ProcessEnv;
  readonly ofCluster?: (audience: string) => Promise<string>;
}

async function ask(context: TestContext, { data = {}, environment = {}, ofCluster }: Asked) {
  const service = openFulcioService();
  context.after(() => service.close());
  const access = ofCluster === undefined ? {} : { identityToken: ofCluster };
  return identityToken({ config: parseConfig(data).config, environment, access, service });
}

async function gateWith(context: TestContext, respond: Respond) {
  const gate = await openGate(respond);
  context.after(() => gate.close());
  return gate;
}

async function file(context: TestContext, content: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'chains-'));
  context.after(() => rm(folder, { recursive: true }));
  const path = join(folder, 'token');
  await writeFile(path, content);
  return path;
}

test('a token comes from the file that is configured, without what is around it', async (context) => {
  const data = { 'signers.x509.identity.token.file': await file(context, `${token}\n`) };
  assert.deepEqual(await ask(context, { data }), { token, issuer: 'https://issuer', subject: 'somebody' });
});

test('a token comes from GitHub Actions, for Sigstore alone', async (context) => {
  const gate = await gateWith(context, () => ({ status: 200, json: { value: token } }));
  const environment = {
    ACTIONS_ID_TOKEN_REQUEST_URL: `${gate.url}/token?x=1`,
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'secret',
  };
  assert.equal((await ask(context, { environment })).token, token);
  assert.equal(gate.requests[0]?.url.search, '?x=1&audience=sigstore');
  assert.equal(gate.requests[0]?.headers.authorization, 'Bearer secret');
});

test("a token comes from Google's metadata server", async (context) => {
  const gate = await gateWith(context, () => ({ status: 200, bytes: Buffer.from(token) }));
  const environment = { GCE_METADATA_HOST: `127.0.0.1:${gate.port}` };
  assert.equal((await ask(context, { environment })).token, token);
  assert.equal(gate.requests[0]?.headers['metadata-flavor'], 'Google');
  assert.match(
    gate.requests[0]?.url.href ?? '',
    /service-accounts\/default\/identity\?audience=sigstore&format=full$/,
  );
});

test("a token comes from Buildkite's agent API", async (context) => {
  const gate = await gateWith(context, () => ({ status: 201, json: { token } }));
  const environment = {
    BUILDKITE_AGENT_ACCESS_TOKEN: 'secret',
    BUILDKITE_JOB_ID: 'job-1',
    BUILDKITE_AGENT_ENDPOINT: gate.url,
  };
  assert.equal((await ask(context, { environment })).token, token);
  assert.equal(gate.requests[0]?.url.pathname, '/jobs/job-1/oidc/tokens');
  assert.deepEqual(JSON.parse(String(gate.requests[0]?.body)), { audience: 'sigstore' });
});

test('a token comes from the SPIRE agent', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'chains-'));
  context.after(() => rm(folder, { recursive: true }));
  const socket = join(folder, 's');
  const agent = await startSpireAgent(socket, () => token);
  context.after(() => agent.close());
  assert.equal(
    (await ask(context, { environment: { SPIFFE_ENDPOINT_SOCKET: `unix://${socket}` } })).token,
    token,
  );
  assert.deepEqual(agent.audiences, ['sigstore']);
});

test('a token comes from the cluster where nothing else can give one', async (context) => {
  const audiences: string[] = [];
  const ofCluster = async (audience: string) => {
    audiences.push(audience);
    return token;
  };
  assert.equal((await ask(context, { ofCluster })).token, token);
  assert.deepEqual(audiences, ['sigstore']);
});

test('what the cluster refuses is said with where the permission is', async (context) => {
  const ofCluster = () => Promise.reject(new ChainsError('CLUSTER_REFUSED', 'create token: 403'));
  await assert.rejects(ask(context, { ofCluster }), {
    code: 'FULCIO_REFUSED',
    message: /create token: 403/,
    hint: /deploy\/keyless/,
  });
});

test('a verified address is what possession is proven for, an unverified one is not', async (context) => {
  const subjectOf = async (claims: object) =>
    (await ask(context, { data: { 'signers.x509.identity.token.file': await file(context, jwt(claims)) } }))
      .subject;
  assert.equal(await subjectOf({ email: 'a@example.com', email_verified: true }), 'a@example.com');
  assert.equal(await subjectOf({ email: 'a@example.com', email_verified: 'true' }), 'a@example.com');
  assert.equal(await subjectOf({ email: 'a@example.com', email_verified: false }), 'somebody');
});

for (const [what, content, message] of [
  ['empty', '', /not a JSON web token/],
  ['no token', 'secret-but-no-token', /not a JSON web token/],
  ['a token without a subject', jwt({ sub: '' }), /issuer and subject/],
  ['a token that has expired', jwt({ exp: 1_000 }), /"somebody" from "https:\/\/issuer" expired at 1970/],
  ['two lines', `${token}\n${token}`, /not a JSON web token/],
] as const) {
  test(`a file that is ${what} is refused, and what is in it is not shown`, async (context) => {
    const data = { 'signers.x509.identity.token.file': await file(context, content) };
    await assert.rejects(ask(context, { data }), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'FULCIO_REFUSED');
      assert.match(error.message, message);
      for (const part of content.split(/[.\n]/)) assert.ok(part === '' || !error.message.includes(part));
      return true;
    });
  });
}

test('without any provider that can work, the message says what to mount', async (context) => {
  await assert.rejects(ask(context, {}), {
    code: 'FULCIO_REFUSED',
    message: /\/var\/run\/sigstore\/cosign\/oidc-token/,
  });
});

test('a provider that answers 500 passes, one that answers 403 is refused, and its secret is not shown', async (context) => {
  for (const [status, code] of [
    [500, 'FULCIO_UNAVAILABLE'],
    [403, 'FULCIO_REFUSED'],
  ] as const) {
    const gate = await gateWith(context, () => ({ status, json: { message: 'no' } }));
    const environment = {
      ACTIONS_ID_TOKEN_REQUEST_URL: `${gate.url}/?x`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'top-secret',
    };
    await assert.rejects(ask(context, { environment }), (error: Error & { code?: string }) => {
      assert.equal(error.code, code);
      assert.ok(!error.message.includes('top-secret'));
      return true;
    });
  }
});
