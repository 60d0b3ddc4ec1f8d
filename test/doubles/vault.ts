import { createPublicKey, randomBytes, verify } from 'node:crypto';
import { hashOf, type Kind, newVersion, signDigest, signMessage, type StoredKey } from './keys.ts';
import { type Answer, type Request, type Service, startService } from './service.ts';

/** Transit's names of kinds. */
export const transitTypes: Readonly<Partial<Record<Kind, string>>> = {
  'P-256': 'ecdsa-p256',
  'P-384': 'ecdsa-p384',
  'P-521': 'ecdsa-p521',
  'RSA 2048': 'rsa-2048',
  'RSA 3072': 'rsa-3072',
  'RSA 4096': 'rsa-4096',
  Ed25519: 'ed25519',
};

/** A token: what it may do, when it ends. Times in milliseconds since the epoch. */
interface Token {
  readonly policies: readonly string[];
  readonly renewable: boolean;
  readonly ttl: number;
  endsAt: number;
  readonly lastEnd: number;
}

/** A role of the auth method `jwt`. Times in seconds. */
export interface JwtRole {
  readonly audience: string;
  readonly subject: string;
  readonly policies: readonly string[];
  readonly ttl: number;
  readonly maxTtl?: number;
}

/** The path and method that a policy lets through. */
export type Policy = readonly { readonly path: string; readonly capabilities: readonly string[] }[];

/** A Vault in this process. */
export interface VaultDouble extends Service {
  readonly address: string;
  readonly rootToken: string;
  readonly engine: string;
  sealed: boolean;
  namespace: string | undefined;
  readonly keys: Map<string, StoredKey>;
  readonly policies: Map<string, Policy>;
  readonly roles: Map<string, JwtRole>;
  /** PEM public keys that JWTs are checked with. */
  jwtKeys: readonly string[];
  createToken(policies: readonly string[], options?: { ttl?: number; renewable?: boolean }): string;
  revoke(token: string): void;
  createKey(name: string, kind: Kind): void;
  rotate(name: string): void;
}

const errors = (status: number, ...reasons: string[]): Answer => ({ status, json: { errors: reasons } });
const denied = errors(403, '1 error occurred:\n\t* permission denied\n\n');

/** Starts a Vault: the transit engine, the auth method `jwt`, tokens and policies, as its API documentation describes them. */
export async function startVault({
  engine = 'transit',
  tls,
}: {
  engine?: string;
  tls?: { readonly cert: string; readonly key: string };
} = {}): Promise<VaultDouble> {
  const tokens = new Map<string, Token>();
  const rootToken = `hvs.${randomBytes(12).toString('hex')}`;
  const service = await startService((request) => respond(request), tls === undefined ? {} : { tls });
  const vault: VaultDouble = Object.assign(service, {
    address: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${service.port}`,
    rootToken,
    engine,
    sealed: false,
    namespace: undefined,
    keys: new Map<string, StoredKey>(),
    policies: new Map<string, Policy>(),
    roles: new Map<string, JwtRole>(),
    jwtKeys: [] as readonly string[],
    createToken(policies: readonly string[], { ttl = 0, renewable = true } = {}) {
      return issue(policies, { ttl, renewable }).token;
    },
    revoke: (token: string) => void tokens.delete(token),
    createKey: (name: string, kind: Kind) => {
      vault.keys.set(name, { kind, versions: [newVersion(kind)] });
    },
    rotate: (name: string) => {
      const key = vault.keys.get(name);
      key?.versions.push(newVersion(key.kind));
    },
  });
  tokens.set(rootToken, {
    policies: ['root'],
    renewable: false,
    ttl: 0,
    endsAt: Infinity,
    lastEnd: Infinity,
  });
  return vault;

  function issue(
    policies: readonly string[],
    {
      ttl,
      renewable,
      maxTtl = Number.POSITIVE_INFINITY,
    }: { ttl: number; renewable: boolean; maxTtl?: number },
  ): { readonly token: string; readonly ttl: number } {
    const token = `hvs.${randomBytes(12).toString('hex')}`;
    const lifetime = Math.min(ttl, maxTtl);
    const endsAt = lifetime === 0 ? Infinity : Date.now() + lifetime * 1_000;
    tokens.set(token, { policies, renewable, ttl, endsAt, lastEnd: Date.now() + maxTtl * 1_000 });
    return { token, ttl: lifetime };
  }

  function respond(request: Request): Answer {
    if (vault.sealed) return errors(503, 'Vault is sealed');
    if (request.headers['x-vault-namespace'] !== vault.namespace) return errors(404, 'no handler for route');
    const path = request.url.pathname.replace(/^\/v1\//, '');
    const [, mount] = /^auth\/([^/]+)\/login$/.exec(path) ?? [];
    if (mount !== undefined) return mount === 'jwt' ? login(request) : denied;
    const name = request.headers['x-vault-token'];
    if (name === undefined) return errors(400, 'missing client token');
    const token = tokens.get(String(name));
    if (token === undefined || token.endsAt < Date.now()) {
      return errors(403, 'permission denied');
    }
    if (path === 'auth/token/lookup-self') return lookUp(token);
    if (path === 'auth/token/renew-self') return renew(String(name), token);
    if (!mayDo(token, path, request.method)) return denied;
    return transit(path, request);
  }

  function mayDo(token: Token, path: string, method: string): boolean {
    if (token.policies.includes('root')) return true;
    const capability = method === 'GET' ? 'read' : 'update';
    return token.policies
      .flatMap((name) => vault.policies.get(name) ?? [])
      .some((rule) => rule.capabilities.includes(capability) && matches(rule.path, path));
  }

  function login(request: Request): Answer {
    const { role: roleName, jwt } = JSON.parse(request.body) as Record<string, string>;
    const role = vault.roles.get(roleName ?? '');
    if (role === undefined) return errors(400, `role "${roleName}" could not be found`);
    const claims = claimsOf(jwt ?? '', vault.jwtKeys);
    if (claims === undefined)
      return errors(400, 'error validating token: no known key successfully validated the token signature');
    if (Number(claims['exp']) * 1_000 < Date.now())
      return errors(400, 'error validating token: token is expired');
    if (![claims['aud']].flat().includes(role.audience)) {
      return errors(400, 'error validating token: invalid audience (aud) claim');
    }
    if (claims['sub'] !== role.subject)
      return errors(400, 'error validating claims: sub claim does not match');
    const { token, ttl } = issue(role.policies, {
      ttl: role.ttl,
      renewable: true,
      ...(role.maxTtl === undefined ? {} : { maxTtl: role.maxTtl }),
    });
    return { status: 200, json: { auth: { client_token: token, lease_duration: ttl, renewable: true } } };
  }

  function lookUp(token: Token): Answer {
    const left = token.endsAt === Infinity ? 0 : Math.round((token.endsAt - Date.now()) / 1_000);
    return { status: 200, json: { data: { ttl: left, renewable: token.renewable } } };
  }

  function renew(name: string, token: Token): Answer {
    if (!token.renewable) return errors(400, 'lease is not renewable');
    token.endsAt = Math.min(Date.now() + token.ttl * 1_000, token.lastEnd);
    const left = Math.round((token.endsAt - Date.now()) / 1_000);
    return { status: 200, json: { auth: { client_token: name, lease_duration: left, renewable: true } } };
  }

  function transit(path: string, request: Request): Answer {
    const [, verb, name = '', hash = 'sha2-256'] =
      new RegExp(`^${engine}/(keys|sign)/([^/]+)(?:/(.+))?$`).exec(path) ?? [];
    const key = vault.keys.get(decodeURIComponent(name));
    if (verb === undefined) return errors(404, `no handler for route "${path}". route entry not found.`);
    if (verb === 'keys') return key === undefined ? errors(404) : readKey(name, key);
    if (key === undefined) return errors(400, 'encryption key not found');
    return signWith(key, hash, JSON.parse(request.body) as Record<string, unknown>);
  }

  function readKey(name: string, key: StoredKey): Answer {
    const keys = key.versions.map(({ publicKey }, index) => [
      index + 1,
      {
        name: key.kind === 'Ed25519' ? 'ed25519' : key.kind,
        public_key:
          key.kind === 'Ed25519'
            ? Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url').toString('base64')
            : publicKey.export({ format: 'pem', type: 'spki' }).toString(),
      },
    ]);
    const data = {
      name,
      type: transitTypes[key.kind],
      latest_version: key.versions.length,
      keys: Object.fromEntries(keys),
      supports_signing: true,
    };
    return { status: 200, json: { data } };
  }

  function signWith(key: StoredKey, hash: string, body: Record<string, unknown>): Answer {
    const input = Buffer.from(String(body['input']), 'base64');
    const version = key.versions.at(-1);
    if (version === undefined) return errors(400, 'signing key not found');
    const signing = { key, version, lie: vault.trouble.lie };
    const answer = (signature: Uint8Array): Answer => ({
      status: 200,
      json: {
        data: { signature: `vault:v${key.versions.length}:${Buffer.from(signature).toString('base64')}` },
      },
    });
    if (key.kind === 'Ed25519') return answer(signMessage(input, signing));
    if (body['prehashed'] !== true) return errors(400, 'the double signs nothing that is not hashed');
    if (hash !== hashOf(input)?.replace('sha', 'sha2-') && key.kind.startsWith('RSA')) {
      return errors(500, '1 error occurred:\n\t* crypto/rsa: input must be hashed message');
    }
    const pss = (body['signature_algorithm'] ?? 'pss') === 'pss';
    return answer(signDigest(input, { ...signing, pss, format: 'der' }));
  }
}

function matches(rule: string, path: string): boolean {
  return rule.endsWith('*') ? path.startsWith(rule.slice(0, -1)) : path === rule;
}

function claimsOf(jwt: string, keys: readonly string[]): Readonly<Record<string, unknown>> | undefined {
  const [header = '', payload = '', signature = ''] = jwt.split('.');
  const valid = keys.some((pem) =>
    verify(
      'sha256',
      Buffer.from(`${header}.${payload}`),
      { key: createPublicKey(pem), dsaEncoding: 'ieee-p1363' },
      Buffer.from(signature, 'base64url'),
    ),
  );
  return valid ? JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) : undefined;
}
