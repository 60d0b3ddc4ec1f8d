import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../../../config/keys.ts';
import { reasonOf } from '../../../errors.ts';
import type { ServiceTls } from '../../../http/service.ts';
import { withoutTrailing } from '../../../text.ts';
import { fetchJwtSvid } from '../../spiffe.ts';
import { failures, type KeyServiceOptions } from '../service.ts';

/** How to log in to Vault. */
export interface Login {
  /** Where the auth method is mounted. */
  readonly path: string;
  /** Undefined for the auth method's default role. */
  readonly role: string | undefined;
  /** Reads the JWT to log in with. */
  readonly jwt: (signal: AbortSignal) => Promise<string>;
}

/** Where the token comes from: it is read, or we log in. */
export type TokenSource = { readonly read: () => Promise<string> } | { readonly login: Login };

/** How a Vault or OpenBao is reached. */
export interface VaultSettings {
  /** Without a slash at its end. */
  readonly address: string;
  readonly namespace: string | undefined;
  /** The path at which the transit engine is mounted, without leading and trailing slashes. */
  readonly engine: string;
  readonly tls: ServiceTls;
  readonly token: TokenSource;
}

/**
 * The settings in `signers.kms.auth.*` and the environment. OpenBao's own variables (`BAO_…`) take precedence over Vault's for
 * `openbao://`, and the other way round for `hashivault://`.
 * @throws ChainsError KMS_REFUSED for a setting that is missing or can't be read.
 */
export function readSettings({ reference, config, environment }: KeyServiceOptions): VaultSettings {
  const prefixes = reference.scheme === 'openbao' ? ['BAO_', 'VAULT_'] : ['VAULT_', 'BAO_'];
  const variable = (name: string) =>
    prefixes.map((prefix) => environment[prefix + name]).find((value) => value !== undefined && value !== '');
  const address = config['signers.kms.auth.address'] ?? variable('ADDR');
  if (address === undefined || !/^https?:\/\/[^\s/]/.test(address) || !URL.canParse(address)) {
    throw failures.unusable(
      `${reference.text}: ${address === undefined ? 'no address is set' : 'the address is not an http or https URL'}; set signers.kms.auth.address, or ${prefixes[0]}ADDR in the environment`,
    );
  }
  return {
    address: withoutTrailing(address, '/'),
    namespace: variable('NAMESPACE'),
    engine: withoutTrailing(environment['TRANSIT_SECRET_ENGINE_PATH'] || 'transit', '/').replace(/^\/+/, ''),
    tls: readTls(variable),
    token: tokenSource(config, variable('TOKEN'), environment['HOME'] || homedir()),
  };
}

/** The configuration takes precedence over the environment, and a token over a login. */
function tokenSource(config: Config, fromEnvironment: string | undefined, home: string): TokenSource {
  const file = config['signers.kms.auth.token-path'];
  if (file !== undefined) return { read: () => readToken(file) };
  const token = config['signers.kms.auth.token'];
  if (token !== undefined) return { read: async () => token };
  const path = config['signers.kms.auth.oidc.path'];
  const role = config['signers.kms.auth.oidc.role'];
  const jwtFile = config['signers.kms.auth.oidc.token-path'];
  const socket = config['signers.kms.auth.spire.sock'];
  if ([path, role, jwtFile, socket].some((setting) => setting !== undefined))
    return { login: { path: path ?? 'jwt', role, jwt: jwtSource(config) } };
  if (fromEnvironment !== undefined) return { read: async () => fromEnvironment };
  return { read: () => readToken(join(home, '.vault-token')) };
}

function jwtSource(config: Config): Login['jwt'] {
  const socket = config['signers.kms.auth.spire.sock'];
  if (socket === undefined) {
    const file =
      config['signers.kms.auth.oidc.token-path'] ?? '/var/run/secrets/kubernetes.io/serviceaccount/token';
    return () => readToken(file);
  }
  const audience = config['signers.kms.auth.spire.audience'];
  if (audience === undefined) {
    throw failures.unusable(
      'signers.kms.auth.spire.audience is not set, and a token from SPIRE needs it: use the audience that the role in Vault is bound to',
    );
  }
  return (signal) => fetchJwtSvid(socket, audience, failures, signal);
}

/** The token in a file, without surrounding white space. */
async function readToken(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw failures.unusable(
      `the token for Vault can't be read: ${reasonOf(error)}; correct the path, or set signers.kms.auth.token-path, signers.kms.auth.oidc.role or VAULT_TOKEN`,
    );
  });
  const token = text.trim();
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw failures.unusable(
    `${path} ${token === '' ? 'is empty' : 'is not a token'}: it must hold one token and nothing else`,
  );
}

/** `…CACERT` (a file) takes precedence over `…CAPATH` (a folder of such files); either replaces node's own CAs. */
function readTls(variable: (name: string) => string | undefined): ServiceTls {
  const [file, folder] = [variable('CACERT'), variable('CAPATH')];
  const skip = /^(1|t|true)$/i.test(variable('SKIP_VERIFY') ?? '');
  const tls = skip ? { rejectUnauthorized: false } : {};
  try {
    if (file !== undefined) return { ...tls, ca: [readFileSync(file, 'utf8')] };
    if (folder === undefined) return tls;
    const entries = readdirSync(folder, { withFileTypes: true }).filter((entry) => !entry.isDirectory());
    return { ...tls, ca: entries.map(({ name }) => readFileSync(join(folder, name), 'utf8')) };
  } catch (error) {
    throw failures.unusable(
      `the CA certificates for Vault can't be read: ${reasonOf(error)}; correct the path ${file ?? folder}`,
    );
  }
}
