import { randomBytes } from 'node:crypto';
import { hashOf, type Kind, newVersion, signDigest, type StoredKey, type StoredVersion } from './keys.ts';
import { type Answer, type Request, type Service, startService } from './service.ts';

/** What a client may do with every key. */
type Role = 'signer' | 'reader';

/** An Azure Key Vault with the authority around it, in this process. */
export interface AzureKeyVaultDouble extends Service {
  /** Keys by name. The versions' names are 32 hex digits. */
  readonly keys: Map<string, StoredKey>;
  createKey(name: string, kind: Kind): void;
  rotate(name: string): void;
  /** The name of a version. */
  versionName(name: string, index: number): string;
  /** Registers a client with a secret, in the form of the environment's variables. */
  createClient(
    role: Role,
  ): Readonly<Record<'AZURE_TENANT_ID' | 'AZURE_CLIENT_ID' | 'AZURE_CLIENT_SECRET', string>>;
  /** The assertion of the federated credential that a client has beside its secret. */
  readonly assertion: string;
  /** `login.microsoftonline.com` */
  readonly authority: Service;
  /** The instance's metadata, over plain HTTP. */
  readonly metadata: Service;
}

const tenant = '11111111-2222-3333-4444-555555555555';
const resource = 'https://vault.azure.net';

const failure = (status: number, code: string, message: string, inner?: string): Answer => ({
  status,
  json: { error: { code, message, ...(inner === undefined ? {} : { innererror: { code: inner } }) } },
});

/** JSON Web Algorithms of a kind of key. */
function algorithmsOf(kind: Kind): readonly string[] {
  if (kind.startsWith('RSA'))
    return ['RS', 'PS'].flatMap((family) => [256, 384, 512].map((bits) => family + bits));
  const names = new Map<Kind, string>([
    ['P-256', 'ES256'],
    ['P-384', 'ES384'],
    ['P-521', 'ES512'],
  ]);
  return [names.get(kind) ?? 'ES256K'];
}

/** Starts a Key Vault (REST, 7.4) at `NAME.vault.azure.net` in its own eyes, Microsoft Entra's token endpoint and an instance's metadata. */
export async function startAzureKeyVault(tls: {
  readonly cert: string;
  readonly key: string;
}): Promise<AzureKeyVaultDouble> {
  const keys = new Map<string, StoredKey>();
  const names = new Map<StoredVersion, string>();
  const clients = new Map<string, { secret: string; role: Role }>();
  const accessTokens = new Map<string, Role>();
  const assertion = randomBytes(12).toString('hex');
  const service = await startService(respond, { tls });
  const authority = await startService(giveToken, { tls });
  const metadata = await startService(giveManaged);
  const closeVault = service.close;

  function issue(role: Role): Answer {
    const token = `ey${randomBytes(12).toString('hex')}`;
    accessTokens.set(token, role);
    const seconds = 3_600;
    return {
      status: 200,
      json: {
        token_type: 'Bearer',
        access_token: token,
        expires_in: seconds,
        expires_on: `${Math.floor(Date.now() / 1_000) + seconds}`,
        resource,
      },
    };
  }

  function giveToken(request: Request): Answer {
    const { pathname } = request.url;
    const base = 'https://login.microsoftonline.com';
    if (pathname.endsWith('/.well-known/openid-configuration')) {
      const json = {
        issuer: `${base}/${tenant}/v2.0`,
        authorization_endpoint: `${base}/${tenant}/oauth2/v2.0/authorize`,
        token_endpoint: `${base}/${tenant}/oauth2/v2.0/token`,
        jwks_uri: `${base}/${tenant}/discovery/v2.0/keys`,
      };
      return { status: 200, json };
    }
    if (pathname === '/common/discovery/instance') {
      const host = 'login.microsoftonline.com';
      const entry = { preferred_network: host, preferred_cache: host, aliases: [host] };
      return {
        status: 200,
        json: { tenant_discovery_endpoint: `${base}/${tenant}/v2.0`, metadata: [entry] },
      };
    }
    if (pathname !== `/${tenant}/oauth2/v2.0/token`) return { status: 404 };
    const form = new URLSearchParams(request.body);
    const client = clients.get(form.get('client_id') ?? '');
    if (!form.get('scope')?.split(' ').includes(`${resource}/.default`))
      return denied('invalid_scope', 'AADSTS70011');
    const known = form.get('client_secret') === client?.secret || form.get('client_assertion') === assertion;
    if (client === undefined || !known)
      return denied('invalid_client', 'AADSTS7000215: Invalid client secret provided.');
    return issue(client.role);
  }

  function denied(error: string, description: string): Answer {
    return {
      status: error === 'invalid_client' ? 401 : 400,
      json: { error, error_description: description },
    };
  }

  function giveManaged(request: Request): Answer {
    if (request.headers.metadata !== 'true') return { status: 400, json: { error: 'bad_request' } };
    if (request.url.searchParams.get('resource') !== resource)
      return { status: 400, json: { error: 'invalid_resource' } };
    return issue('signer');
  }

  function respond(request: Request): Answer {
    const role = accessTokens.get(String(request.headers.authorization).replace(/^Bearer /, ''));
    if (role === undefined) {
      return {
        ...failure(401, 'Unauthorized', 'AKV10000: Request is missing a Bearer or PoP token.'),
        headers: {
          'www-authenticate': `Bearer authorization="https://login.microsoftonline.com/${tenant}", resource="${resource}"`,
        },
      };
    }
    if (!request.url.searchParams.has('api-version'))
      return failure(400, 'BadParameter', 'api-version must be specified');
    const [, name = '', version, verb] =
      /^\/keys\/([^/]+)(?:\/([0-9a-f]{32}))?(\/sign)?$/.exec(request.url.pathname) ?? [];
    const key = keys.get(name);
    const found = key?.versions.findLast((one) => version === undefined || names.get(one) === version);
    if (key === undefined || found === undefined) {
      return failure(404, 'KeyNotFound', `A key with (name/id) ${name} was not found in this key vault.`);
    }
    const kid = `https://${request.headers.host}/keys/${name}/${names.get(found)}`;
    if (verb === undefined) return getKey(kid, key, found);
    if (role !== 'signer') {
      return failure(
        403,
        'Forbidden',
        'The user, group or application does not have keys sign permission on key vault.',
        'AccessDenied',
      );
    }
    return sign(kid, key, found, JSON.parse(request.body) as Record<string, string>);
  }

  function getKey(kid: string, { kind }: StoredKey, { publicKey, enabled }: StoredVersion): Answer {
    const jwk = publicKey.export({ format: 'jwk' });
    const crv = kind === 'secp256k1' ? 'P-256K' : jwk.crv;
    const key = { ...jwk, ...(crv === undefined ? {} : { crv }), kid, key_ops: ['sign', 'verify'] };
    return { status: 200, json: { key, attributes: { enabled } } };
  }

  function sign(kid: string, key: StoredKey, version: StoredVersion, body: Record<string, string>): Answer {
    const { alg = '', value = '' } = body;
    if (!version.enabled) {
      return failure(403, 'Forbidden', 'Operation sign is not allowed on a disabled key.', 'KeyDisabled');
    }
    if (!algorithmsOf(key.kind).includes(alg)) {
      return failure(400, 'BadParameter', `Key and signing algorithm are incompatible: ${alg}`);
    }
    const digest = Buffer.from(value, 'base64url');
    if (hashOf(digest) !== `sha${alg.slice(2)}`) {
      return failure(400, 'BadParameter', `Invalid length of 'value': ${digest.length} bytes.`);
    }
    const signing = { key, version, pss: alg.startsWith('PS'), lie: service.trouble.lie };
    const signature = signDigest(digest, { ...signing, format: 'compact' });
    return { status: 200, json: { kid, value: Buffer.from(signature).toString('base64url') } };
  }

  function add(key: StoredKey): void {
    const version = newVersion(key.kind);
    names.set(version, randomBytes(16).toString('hex'));
    key.versions.push(version);
  }

  return Object.assign(service, {
    keys,
    assertion,
    authority,
    metadata,
    createKey(name: string, kind: Kind) {
      const key: StoredKey = { kind, versions: [] };
      add(key);
      keys.set(name, key);
    },
    rotate(name: string) {
      const key = keys.get(name);
      if (key !== undefined) add(key);
    },
    versionName(name: string, index: number) {
      const version = keys.get(name)?.versions[index];
      return version === undefined ? '' : (names.get(version) ?? '');
    },
    createClient(role: Role) {
      const [id, secret] = [`client-${clients.size}`, randomBytes(12).toString('hex')];
      clients.set(id, { secret, role });
      return { AZURE_TENANT_ID: tenant, AZURE_CLIENT_ID: id, AZURE_CLIENT_SECRET: secret };
    },
    async close() {
      await Promise.all([closeVault(), authority.close(), metadata.close()]);
    },
  });
}
