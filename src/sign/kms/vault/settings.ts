import { readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { reasonOf } from '../../../errors.ts';
import type { ServiceTls } from '../../../http/service.ts';
import { type KeyServiceOptions, unusable } from '../service.ts';
import { withoutTrailing } from '../../../text.ts';

/** Where the token comes from. */
export type TokenOrigin =
  | { readonly from: 'file'; readonly path: string }
  | { readonly from: 'text'; readonly token: string }
  | {
      readonly from: 'login';
      /** Where the auth method is mounted. */
      readonly path: string;
      /** Undefined for the auth method's default role. */
      readonly role: string | undefined;
      readonly identity: JwtSource;
    };

/** Where the JWT to log in with comes from. */
export type JwtSource =
  | { readonly from: 'file'; readonly path: string }
  | { readonly from: 'spiffe'; readonly socket: string; readonly audience: string };

/** How a Vault or OpenBao is reached. */
export interface VaultSettings {
  /** Without a slash at its end. */
  readonly address: string;
  readonly namespace: string | undefined;
  /** The path at which the transit engine is mounted, without slashes around it. */
  readonly engine: string;
  readonly tls: ServiceTls;
  readonly token: TokenOrigin;
}

const serviceAccountToken = '/var/run/secrets/kubernetes.io/serviceaccount/token';

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
    throw unusable(
      `${reference.text}: ${address === undefined ? 'no address is set' : 'the address is not an http or https URL'}; set signers.kms.auth.address, or ${prefixes[0]}ADDR in the environment`,
    );
  }
  return {
    address: withoutTrailing(address, '/'),
    namespace: variable('NAMESPACE'),
    engine: withoutTrailing(environment['TRANSIT_SECRET_ENGINE_PATH'] || 'transit', '/').replace(/^\/+/, ''),
    tls: readTls(variable),
    token: tokenOrigin(config, variable, environment),
  };
}

/** If any of these is set, we log in. */
const loginKeys = [
  'signers.kms.auth.oidc.path',
  'signers.kms.auth.oidc.role',
  'signers.kms.auth.oidc.token-path',
  'signers.kms.auth.spire.sock',
] as const;

/** The configuration takes precedence over the environment, and a token over a login. */
function tokenOrigin(
  config: KeyServiceOptions['config'],
  variable: (name: string) => string | undefined,
  environment: NodeJS.ProcessEnv,
): TokenOrigin {
  const path = config['signers.kms.auth.token-path'];
  if (path !== undefined) return { from: 'file', path };
  const token = config['signers.kms.auth.token'];
  if (token !== undefined) return { from: 'text', token };
  if (loginKeys.some((key) => config[key] !== undefined)) {
    return {
      from: 'login',
      path: config['signers.kms.auth.oidc.path'] ?? 'jwt',
      role: config['signers.kms.auth.oidc.role'],
      identity: identityOf(config),
    };
  }
  const given = variable('TOKEN');
  if (given !== undefined) return { from: 'text', token: given };
  return { from: 'file', path: join(environment['HOME'] || homedir(), '.vault-token') };
}

function identityOf(config: KeyServiceOptions['config']): JwtSource {
  const socket = config['signers.kms.auth.spire.sock'];
  if (socket === undefined) {
    return { from: 'file', path: config['signers.kms.auth.oidc.token-path'] ?? serviceAccountToken };
  }
  const audience = config['signers.kms.auth.spire.audience'];
  if (audience === undefined) {
    throw unusable(
      'signers.kms.auth.spire.audience is not set, and a token from SPIRE needs it: use the audience that the role in Vault is bound to',
    );
  }
  return { from: 'spiffe', socket, audience };
}

/** `…CACERT` (a file) takes precedence over `…CAPATH` (a folder of such files); either replaces node's own CAs. */
function readTls(variable: (name: string) => string | undefined): ServiceTls {
  const [file, folder] = [variable('CACERT'), variable('CAPATH')];
  const skip = /^(1|t|true)$/i.test(variable('SKIP_VERIFY') ?? '');
  const ca = file !== undefined ? [file] : folder !== undefined ? filesIn(folder) : undefined;
  return {
    ...(ca === undefined ? {} : { ca: ca.map((path) => reading(path, () => readFileSync(path, 'utf8'))) }),
    ...(skip ? { rejectUnauthorized: false } : {}),
  };
}

function filesIn(folder: string): readonly string[] {
  const entries = reading(folder, () => readdirSync(folder, { withFileTypes: true }));
  return entries.flatMap((entry) => (entry.isDirectory() ? [] : [join(folder, entry.name)]));
}

function reading<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw unusable(
      `the CA certificates for Vault can't be read: ${reasonOf(error)}; correct the path ${path}`,
    );
  }
}
