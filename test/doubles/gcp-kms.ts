import { randomBytes } from 'node:crypto';
import { crc32c } from '../../src/http/crc32c.ts';
import { GoogleAccounts } from './google-accounts.ts';
import { hashOf, type Kind, newVersion, signDigest, type StoredKey } from './keys.ts';
import { type Answer, type Request, type Service, startService } from './service.ts';

/** What an account may do with every key. */
type Role = 'signer' | 'reader' | 'nothing';

/** A Cloud KMS with the token services around it, in this process. */
export interface GcpKmsDouble extends Service {
  /** Keys by the resource name of the CryptoKey. */
  readonly keys: Map<string, StoredKey & { readonly algorithm: string }>;
  createKey(name: string, kind: Kind, pss?: boolean): void;
  /** Ends every access token. */
  revokeTokens(): void;
  /** The text of a service account's key file; the account's earlier keys are deleted. */
  serviceAccount(email: string, role: Role): string;
  /** The text of a file for workload identity federation with the subject token in `file`. */
  externalAccount(file: string): string;
  /** What `file` must hold. */
  readonly subjectToken: string;
  /** `oauth2.googleapis.com` and `sts.googleapis.com`. */
  readonly tokens: Service;
  /** The metadata server, over plain HTTP. */
  readonly metadata: Service;
}

const cloudPlatform = [
  'https://www.googleapis.com/auth/cloudkms',
  'https://www.googleapis.com/auth/cloud-platform',
];

const failure = (status: number, name: string, message: string): Answer => ({
  status,
  json: { error: { code: status, message, status: name } },
});

/** Google's names of algorithms. */
function algorithmOf(kind: Kind, pss: boolean): string {
  const [curve] = /\d+$/.exec(kind) ?? ['256'];
  if (kind === 'secp256k1') return 'EC_SIGN_SECP256K1_SHA256';
  if (kind === 'Ed25519') return 'EC_SIGN_ED25519';
  if (kind.startsWith('P-')) return `EC_SIGN_P${curve}_SHA${curve}`;
  return `RSA_SIGN_${pss ? 'PSS' : 'PKCS1'}_${curve}_SHA${curve === '4096' ? '512' : '256'}`;
}

/**
 * Starts a Cloud KMS (REST, v1) at `cloudkms.googleapis.com` in its own eyes, an OAuth token endpoint, a security token
 * service and a metadata server, as Google's documentation describes them.
 */
export async function startGcpKms(tls: {
  readonly cert: string;
  readonly key: string;
}): Promise<GcpKmsDouble> {
  const accounts = new GoogleAccounts<Role>();
  const subjectToken = randomBytes(12).toString('hex');
  const keys: GcpKmsDouble['keys'] = new Map();
  const service = await startService(respond, { tls });
  const tokens = await startService(giveToken, { tls });
  const metadata = await startService(giveMetadata);
  const kms: GcpKmsDouble = Object.assign(service, {
    keys,
    tokens,
    metadata,
    subjectToken,
    revokeTokens: () => accounts.revokeTokens(),
    createKey: (name: string, kind: Kind, pss = false) =>
      void keys.set(name, { kind, versions: [newVersion(kind)], algorithm: algorithmOf(kind, pss) }),
    serviceAccount: (email: string, role: Role) => accounts.keyFile(email, role),
    externalAccount: (file: string) =>
      JSON.stringify({
        type: 'external_account',
        audience:
          '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/cluster',
        subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
        token_url: 'https://sts.googleapis.com/v1/token',
        credential_source: { file },
      }),
  });
  const closeKms = service.close;
  return Object.assign(kms, {
    async close() {
      await Promise.all([closeKms(), tokens.close(), metadata.close()]);
    },
  });

  function giveToken(request: Request): Answer {
    const { pathname } = request.url;
    const form = new URLSearchParams(request.body);
    if (pathname === '/token') return accounts.exchange(request.body);
    if (pathname !== '/v1/token') return { status: 404 };
    // RFC 8693
    if (form.get('subject_token') !== subjectToken) {
      return {
        status: 400,
        json: { error: 'invalid_grant', error_description: 'The subject token is not valid.' },
      };
    }
    return accounts.issue('signer', (form.get('scope') ?? '').split(' '));
  }

  function giveMetadata(request: Request): Answer {
    const headers = { 'metadata-flavor': 'Google' };
    if (request.headers['metadata-flavor'] !== 'Google') return { status: 403 };
    if (request.url.pathname.endsWith('/token')) {
      return {
        ...accounts.issue('signer', (request.url.searchParams.get('scopes') ?? '').split(',')),
        headers,
      };
    }
    return { status: 200, text: 'instance', headers };
  }

  function respond(request: Request): Answer {
    const token = accounts.holderOf(request.headers.authorization);
    if (token === undefined) {
      return failure(401, 'UNAUTHENTICATED', 'Request had invalid authentication credentials.');
    }
    if (!token.scopes.some((scope) => cloudPlatform.includes(scope))) {
      return failure(403, 'PERMISSION_DENIED', 'Request had insufficient authentication scopes.');
    }
    const path = request.url.pathname.replace(/^\/v1\//, '');
    const [, name = '', rest = ''] =
      /^(projects\/.*\/cryptoKeys\/[^/]+)\/cryptoKeyVersions(.*)$/.exec(path) ?? [];
    const [, number, verb] = /^\/(\d+)(\/publicKey|:asymmetricSign)$/.exec(rest) ?? [];
    const permission = verb === undefined ? 'list' : verb === '/publicKey' ? 'viewPublicKey' : 'useToSign';
    if (token.role === 'nothing' || (token.role === 'reader' && permission === 'useToSign')) {
      return failure(
        403,
        'PERMISSION_DENIED',
        `Permission 'cloudkms.cryptoKeyVersions.${permission}' denied on resource '${name}' (or it may not exist).`,
      );
    }
    const key = keys.get(name);
    if (key === undefined) return failure(404, 'NOT_FOUND', `CryptoKey ${name} not found.`);
    if (number === undefined) return list(name, key, request.url.searchParams);
    const version = key.versions[Number(number) - 1];
    const resource = `${name}/cryptoKeyVersions/${number}`;
    if (version === undefined) return failure(404, 'NOT_FOUND', `CryptoKeyVersion ${resource} not found.`);
    if (!version.enabled) {
      return failure(400, 'FAILED_PRECONDITION', `${resource} is not enabled, current state is: DISABLED.`);
    }
    if (verb === '/publicKey') {
      const pem = version.publicKey.export({ format: 'pem', type: 'spki' }).toString();
      const json = {
        pem,
        algorithm: key.algorithm,
        pemCrc32c: checksum('public key', pem),
        name: echo(resource),
      };
      return { status: 200, json };
    }
    return sign(key, version, resource, JSON.parse(request.body) as SignRequest);
  }

  function list(name: string, key: StoredKey, query: URLSearchParams): Answer {
    const wanted =
      query.get('filter') === 'state=ENABLED' ? key.versions.filter(({ enabled }) => enabled) : key.versions;
    const all = wanted.map((version) => ({
      name: `${name}/cryptoKeyVersions/${key.versions.indexOf(version) + 1}`,
      state: version.enabled ? 'ENABLED' : 'DISABLED',
    }));
    // Pages of one, so that the client has to turn them.
    const index = Number(query.get('pageToken') || 0);
    const more = index + 1 < all.length ? { nextPageToken: `${index + 1}` } : {};
    return {
      status: 200,
      json: { cryptoKeyVersions: all.slice(index, index + 1), totalSize: all.length, ...more },
    };
  }

  function sign(
    key: StoredKey & { readonly algorithm: string },
    version: StoredKey['versions'][number],
    resource: string,
    body: SignRequest,
  ): Answer {
    const [hash, text] = Object.entries(body.digest ?? {})[0] ?? ['', ''];
    const digest = Buffer.from(text, 'base64');
    if (!key.algorithm.endsWith(hash.toUpperCase()) || hashOf(digest) !== hash) {
      return failure(
        400,
        'INVALID_ARGUMENT',
        `The digest is not of the algorithm ${key.algorithm}, or not as long.`,
      );
    }
    if (body.digestCrc32c !== undefined && Number(body.digestCrc32c) !== crc32c(digest)) {
      return failure(
        400,
        'INVALID_ARGUMENT',
        'The checksum in field digest_crc32c did not match the data in field digest.',
      );
    }
    const pss = key.algorithm.includes('PSS');
    const signature = signDigest(digest, { key, version, pss, format: 'der', lie: service.trouble.lie });
    const checked = body.digestCrc32c !== undefined && service.trouble.checksum !== 'digest';
    return {
      status: 200,
      json: {
        name: echo(resource),
        signature: Buffer.from(signature).toString('base64'),
        signatureCrc32c: checksum('signature', signature),
        ...(checked ? { verifiedDigestCrc32c: true } : {}),
      },
    };
  }

  function checksum(what: string, content: string | Uint8Array): string {
    return `${(crc32c(content) + (service.trouble.checksum === what ? 1 : 0)) % 2 ** 32}`;
  }

  function echo(resource: string): string {
    return service.trouble.checksum === 'name' ? resource.replace(/\d+$/, '99') : resource;
  }
}

interface SignRequest {
  readonly digest?: Readonly<Record<string, string>>;
  readonly digestCrc32c?: string;
}
