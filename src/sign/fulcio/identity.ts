import { readFile, stat } from 'node:fs/promises';
import { type Config, type IdentityProvider, identityProviders } from '../../config/keys.ts';
import { caught, ChainsError, reasonOf } from '../../errors.ts';
import type { Service, ServiceCall } from '../../http/service.ts';
import { at, type Json, parseBounded, textIn } from '../../json.ts';
import type { ClusterAccess } from '../../model/cluster-access.ts';
import { quote, withoutTrailing } from '../../text.ts';
import { fetchJwtSvid } from '../spiffe.ts';
import { failures, patience } from './service.ts';

/** Whom Fulcio's tokens are for. */
const audience = 'sigstore';

/** What providers of tokens work with. */
export interface IdentityOptions {
  readonly config: Config;
  readonly environment: NodeJS.ProcessEnv;
  readonly access: ClusterAccess;
  readonly service: Service;
}

/** An identity token, and what it claims. The token is a secret: it is never shown. */
export interface IdentityToken {
  readonly token: string;
  readonly issuer: string;
  /** What Fulcio has a proof of possession made over: a verified address, else the subject. */
  readonly subject: string;
}

/** Where tokens come from (transparency.md, "Configuration"). */
interface Provider {
  /** Whether it can work here, as far as that shows without asking for a token. */
  canWork(options: IdentityOptions): boolean | Promise<boolean>;
  token(options: IdentityOptions, signal: AbortSignal): Promise<string>;
}

const cosignFile = '/var/run/sigstore/cosign/oidc-token';

const providers: { readonly [P in IdentityProvider]: Provider } = {
  filesystem: {
    canWork: () => isThere(cosignFile),
    token: () => fileToken(cosignFile),
  },
  'filesystem-custom-path': {
    canWork: ({ config }) => config['signers.x509.identity.token.file'] !== undefined,
    token: ({ config }) =>
      fileToken(needed(config['signers.x509.identity.token.file'], 'signers.x509.identity.token.file')),
  },
  spiffe: {
    canWork: ({ environment }) => isSet(environment, 'SPIFFE_ENDPOINT_SOCKET'),
    token: ({ environment }, signal) =>
      fetchJwtSvid(variable(environment, 'SPIFFE_ENDPOINT_SOCKET'), audience, failures, signal),
  },
  'google-workload-identity': {
    canWork: async ({ environment }) =>
      isSet(environment, 'GCE_METADATA_HOST') || (await productName()).startsWith('Google'),
    token: ({ environment, service }, signal) => {
      const host = environment['GCE_METADATA_HOST'] || 'metadata.google.internal';
      const path = 'computeMetadata/v1/instance/service-accounts/default/identity';
      return askFor(service, (bytes) => bytes.toString('latin1').trim(), {
        what: 'get an identity token from the metadata server',
        method: 'GET',
        url: `http://${host}/${path}?audience=${audience}&format=full`,
        headers: { 'metadata-flavor': 'Google', accept: '*/*' },
        signal,
      });
    },
  },
  'github-actions': {
    canWork: ({ environment }) => isSet(environment, 'ACTIONS_ID_TOKEN_REQUEST_URL'),
    token: ({ environment, service }, signal) =>
      askFor(service, member('value'), {
        what: 'get an identity token from GitHub Actions',
        method: 'GET',
        url: `${variable(environment, 'ACTIONS_ID_TOKEN_REQUEST_URL')}&audience=${audience}`,
        headers: { authorization: `Bearer ${variable(environment, 'ACTIONS_ID_TOKEN_REQUEST_TOKEN')}` },
        signal,
      }),
  },
  'buildkite-agent': {
    canWork: ({ environment }) => isSet(environment, 'BUILDKITE_AGENT_ACCESS_TOKEN'),
    token: ({ environment, service }, signal) => {
      const endpoint = environment['BUILDKITE_AGENT_ENDPOINT'] || 'https://agent.buildkite.com/v3';
      const job = encodeURIComponent(variable(environment, 'BUILDKITE_JOB_ID'));
      return askFor(service, member('token'), {
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
  const token = await failures.within(patience, what, undefined, (signal) =>
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

/** What a token says of itself; whether that is true is for Fulcio to find out. */
function claimsOf(token: string, what: string): IdentityToken {
  const [, body = '', ...rest] = token.split('.');
  const claims = readClaims(body);
  const [issuer, subject] = [textIn(at(claims, 'iss')), textIn(at(claims, 'sub'))];
  if (rest.length !== 1 || issuer === '' || subject === '' || /[^\x21-\x7e]/.test(token))
    throw failures.unusable(`${what}: what came is not a JSON web token with issuer and subject`);
  const expires = at(claims, 'exp');
  if (typeof expires === 'number' && expires * 1_000 <= Date.now())
    throw failures.unusable(
      `${what}: the token of ${quote(subject)} from ${quote(issuer)} expired at ${new Date(expires * 1_000).toISOString()}`,
    );
  const email = textIn(at(claims, 'email'));
  const isVerified = ![false, 'false'].includes(textOrFlag(at(claims, 'email_verified')));
  return { token, issuer, subject: email !== '' && isVerified ? email : subject };
}

function textOrFlag(value: Json | undefined): string | boolean {
  return typeof value === 'string' || typeof value === 'boolean' ? value : true;
}

function readClaims(body: string): Json | undefined {
  try {
    return parseBounded(Buffer.from(body, 'base64url').toString('utf8'));
  } catch {
    // Its text may be that of a token: the message says what is wrong without it.
    return undefined;
  }
}

async function fileToken(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw failures.unusable(`the identity token can't be read: ${reasonOf(error)}`);
  });
  return text.trim();
}

async function askFor(service: Service, find: (bytes: Buffer) => string, call: ServiceCall): Promise<string> {
  const token = find(Buffer.from((await service.call(call)).bytes));
  if (token === '') throw failures.unreadable(call.what, 'no token');
  return token;
}

function member(name: string): (bytes: Buffer) => string {
  return (bytes) => {
    try {
      return textIn(at(parseBounded(bytes.toString('utf8')), name));
    } catch {
      return '';
    }
  };
}

/** What the machine says that it is; empty where it doesn't. */
function productName(): Promise<string> {
  return readFile('/sys/class/dmi/id/product_name', 'utf8').catch(() => '');
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function isSet(environment: NodeJS.ProcessEnv, name: string): boolean {
  return (environment[name] ?? '') !== '';
}

function variable(environment: NodeJS.ProcessEnv, name: string): string {
  return needed(environment[name], `${name} in the environment`);
}

function needed(value: string | undefined, name: string): string {
  if (value !== undefined && value !== '') return value;
  throw failures.unusable(`${name} is not set, and the provider of identity tokens needs it`);
}
