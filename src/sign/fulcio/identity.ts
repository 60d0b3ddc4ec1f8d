import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { type Config, type IdentityProvider, identityProviders } from '../../config/keys.ts';
import { caught, ChainsError, reasonOf } from '../../errors.ts';
import type { Service, ServiceCall } from '../../http/service.ts';
import { at, type Json, parseBounded, textIn } from '../../json.ts';
import type { ClusterAccess } from '../../model/cluster-access.ts';
import { quote, withoutTrailing } from '../../text.ts';
import { fetchJwtSvid } from '../spiffe.ts';
import { failures, timeout } from './service.ts';

/** The audience of tokens for Fulcio. */
const audience = 'sigstore';

/** What providers of tokens need. */
interface IdentityOptions {
  readonly config: Config;
  readonly environment: NodeJS.ProcessEnv;
  readonly access: ClusterAccess;
  readonly service: Service;
}

/** An identity token and its claims. The token is a secret and never shown. */
export interface IdentityToken {
  readonly token: string;
  readonly issuer: string;
  /** What the proof of possession is made over: a verified email address, else the subject. */
  readonly subject: string;
}

/** Where tokens come from (transparency.md, "Configuration"). */
interface Provider {
  /** Whether it can work here, as far as that is known without requesting a token. */
  canWork(options: IdentityOptions): boolean | Promise<boolean>;
  token(options: IdentityOptions, signal: AbortSignal): Promise<string>;
}

const cosignFile = '/var/run/sigstore/cosign/oidc-token';

const providers: { readonly [P in IdentityProvider]: Provider } = {
  filesystem: {
    canWork: () => existsSync(cosignFile),
    token: () => fileToken(cosignFile),
  },
  'filesystem-custom-path': {
    canWork: ({ config }) => config['signers.x509.identity.token.file'] !== undefined,
    token: ({ config }) =>
      fileToken(needed(config['signers.x509.identity.token.file'], 'signers.x509.identity.token.file')),
  },
  spiffe: {
    canWork: ({ environment }) => Boolean(environment['SPIFFE_ENDPOINT_SOCKET']),
    token: ({ environment }, signal) =>
      fetchJwtSvid(variable(environment, 'SPIFFE_ENDPOINT_SOCKET'), audience, failures, signal),
  },
  'google-workload-identity': {
    canWork: async ({ environment }) =>
      Boolean(environment['GCE_METADATA_HOST']) ||
      (await readFile('/sys/class/dmi/id/product_name', 'utf8').catch(() => '')).startsWith('Google'),
    token: ({ environment, service }, signal) => {
      const host = environment['GCE_METADATA_HOST'] || 'metadata.google.internal';
      const path = 'computeMetadata/v1/instance/service-accounts/default/identity';
      return request(service, undefined, {
        what: 'get an identity token from the metadata server',
        method: 'GET',
        url: `http://${host}/${path}?audience=${audience}&format=full`,
        headers: { 'metadata-flavor': 'Google', accept: '*/*' },
        signal,
      });
    },
  },
  'github-actions': {
    canWork: ({ environment }) => Boolean(environment['ACTIONS_ID_TOKEN_REQUEST_URL']),
    token: ({ environment, service }, signal) =>
      request(service, 'value', {
        what: 'get an identity token from GitHub Actions',
        method: 'GET',
        url: `${variable(environment, 'ACTIONS_ID_TOKEN_REQUEST_URL')}&audience=${audience}`,
        headers: { authorization: `Bearer ${variable(environment, 'ACTIONS_ID_TOKEN_REQUEST_TOKEN')}` },
        signal,
      }),
  },
  'buildkite-agent': {
    canWork: ({ environment }) => Boolean(environment['BUILDKITE_AGENT_ACCESS_TOKEN']),
    token: ({ environment, service }, signal) => {
      const endpoint = environment['BUILDKITE_AGENT_ENDPOINT'] || 'https://agent.buildkite.com/v3';
      const job = encodeURIComponent(variable(environment, 'BUILDKITE_JOB_ID'));
      return request(service, 'token', {
        what: "get an identity token from Buildkite's agent API",
        method: 'POST',
        url: `${withoutTrailing(endpoint, '/')}/jobs/${job}/oidc/tokens`,
        headers: { authorization: `Token ${variable(environment, 'BUILDKITE_AGENT_ACCESS_TOKEN')}` },
        body: JSON.stringify({ audience }),
        signal,
      });
    },
  },
  kubernetes: {
    canWork: ({ access }) => access.identityToken !== undefined,
    token: async ({ access }, signal) => {
      const given = await caught(async () => access.identityToken?.(audience, signal));
      if (typeof given === 'string') return given;
      if (given === undefined)
        throw failures.unusable('signers.x509.fulcio.provider is "kubernetes", and there is no cluster here');
      const code = given.code === 'CLUSTER_REFUSED' ? 'FULCIO_REFUSED' : 'FULCIO_UNAVAILABLE';
      throw new ChainsError(code, `get an identity token for ${audience}: ${given.message}`, {
        hint: 'deploy/keyless has the permission that it needs.',
      });
    },
  },
};

/** Gets a token from the provider that is configured, else from the first that can work here. @throws ChainsError FULCIO_… */
export async function identityToken(options: IdentityOptions): Promise<IdentityToken> {
  const name = await chosen(options);
  const what = `get an identity token (${name})`;
  const token = await failures.within(timeout, what, undefined, (signal) =>
    providers[name].token(options, signal),
  );
  return claimsOf(token, what);
}

async function chosen(options: IdentityOptions): Promise<IdentityProvider> {
  const { 'signers.x509.fulcio.provider': named, 'signers.x509.identity.token.file': file } = options.config;
  if (named !== undefined) return named;
  if (file !== undefined) return 'filesystem-custom-path';
  for (const name of identityProviders) if (await providers[name].canWork(options)) return name;
  throw failures.unusable(
    `no provider of identity tokens can work here; mount a token for the audience ${audience} at ${cosignFile}, as deploy/keyless does, or set signers.x509.fulcio.provider`,
  );
}

/** The claims of a token, not verified: that is Fulcio's task. */
function claimsOf(token: string, what: string): IdentityToken {
  const [, body = '', ...rest] = token.split('.');
  const claims = readJson(Buffer.from(body, 'base64url'));
  const [issuer, subject] = [textIn(at(claims, 'iss')), textIn(at(claims, 'sub'))];
  if (rest.length !== 1 || issuer === '' || subject === '' || /[^\x21-\x7e]/.test(token))
    throw failures.unusable(`${what}: the token is not a JSON web token with issuer and subject`);
  const expires = at(claims, 'exp');
  if (typeof expires === 'number' && expires * 1_000 <= Date.now())
    throw failures.unusable(
      `${what}: the token of ${quote(subject)} from ${quote(issuer)} expired at ${new Date(expires * 1_000).toISOString()}`,
    );
  const email = textIn(at(claims, 'email'));
  const verified = at(claims, 'email_verified');
  const isEmail = email !== '' && verified !== false && verified !== 'false';
  return { token, issuer, subject: isEmail ? email : subject };
}

/** The JSON in some bytes; undefined for anything else. The parser's error is not kept, since it may quote a token. */
function readJson(bytes: Buffer): Json | undefined {
  try {
    return parseBounded(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}

async function fileToken(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw failures.unusable(`the identity token can't be read: ${reasonOf(error)}`);
  });
  return text.trim();
}

/** Requests a token: a member of the answer's JSON, or the whole answer. */
async function request(service: Service, member: string | undefined, call: ServiceCall): Promise<string> {
  const bytes = Buffer.from((await service.call(call)).bytes);
  const token = member === undefined ? bytes.toString('latin1').trim() : textIn(at(readJson(bytes), member));
  if (token === '') throw failures.unreadable(call.what, 'no token');
  return token;
}

function variable(environment: NodeJS.ProcessEnv, name: string): string {
  return needed(environment[name], `${name} in the environment`);
}

function needed(value: string | undefined, name: string): string {
  if (value !== undefined && value !== '') return value;
  throw failures.unusable(`${name} is not set, and the provider of identity tokens needs it`);
}
