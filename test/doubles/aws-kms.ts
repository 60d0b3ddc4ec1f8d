import { randomBytes, randomUUID } from 'node:crypto';
import { callerOf } from './aws-signature.ts';
import { hashOf, type Kind, newVersion, signDigest, type StoredKey, type StoredVersion } from './keys.ts';
import { type Answer, type Request, type Service, startService } from './service.ts';

/** What a credential may do. */
type Role = 'signer' | 'reader';

/** An AWS KMS with a security token service, in this process. */
export interface AwsKmsDouble extends Service {
  /** The region that it is. */
  readonly region: string;
  /** Keys by ARN. There are no versions. */
  readonly keys: ReadonlyMap<string, AwsKey>;
  /** ARNs by alias (`alias/NAME`). */
  readonly aliases: Map<string, string>;
  /** Makes a key and gives its ARN. */
  createKey(kind: Kind, usage?: AwsKey['usage']): string;
  /** Makes an access key, in the form of the environment's variables. */
  createAccessKey(role: Role): { readonly AWS_ACCESS_KEY_ID: string; readonly AWS_SECRET_ACCESS_KEY: string };
  /** The token that `AssumeRoleWithWebIdentity` takes. */
  readonly identityToken: string;
  /** The security token service, over plain HTTP. */
  readonly sts: Service;
}

interface AwsKey extends StoredKey {
  readonly usage: 'SIGN_VERIFY' | 'ENCRYPT_DECRYPT';
}

/** KeySpec. */
const specs: Readonly<Partial<Record<Kind, string>>> = {
  'P-256': 'ECC_NIST_P256',
  'P-384': 'ECC_NIST_P384',
  'P-521': 'ECC_NIST_P521',
  secp256k1: 'ECC_SECG_P256K1',
  'RSA 2048': 'RSA_2048',
  'RSA 3072': 'RSA_3072',
  'RSA 4096': 'RSA_4096',
};

const rsaAlgorithms = ['PKCS1_V1_5', 'PSS'].flatMap((padding) =>
  [256, 384, 512].map((bits) => `RSASSA_${padding}_SHA_${bits}`),
);

/** The signing algorithms of a kind of key. */
function algorithmsOf(kind: Kind): readonly string[] {
  if (kind.startsWith('RSA')) return rsaAlgorithms;
  const bits = new Map<Kind, number>([
    ['P-384', 384],
    ['P-521', 512],
  ]);
  return [`ECDSA_SHA_${bits.get(kind) ?? 256}`];
}

const failure = (status: number, type: string, message = ''): Answer => ({
  status,
  json: { __type: type, message },
  headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-errortype': type },
});

/** Starts an AWS KMS (JSON 1.1) and an STS, as AWS's API references describe them. */
export async function startAwsKms(tls: {
  readonly cert: string;
  readonly key: string;
}): Promise<AwsKmsDouble> {
  const region = 'eu-west-1';
  const keys = new Map<string, AwsKey>();
  const aliases = new Map<string, string>();
  const accessKeys = new Map<string, { secret: string; role: Role; token?: string }>();
  const identityToken = randomBytes(12).toString('hex');
  const service = await startService(respond, { tls });
  const sts = await startService(assumeRole);
  const closeKms = service.close;

  function createAccessKey(role: Role, token?: string) {
    const [id, secret] = [
      `AKIA${randomBytes(8).toString('hex').toUpperCase()}`,
      randomBytes(20).toString('base64'),
    ];
    accessKeys.set(id, { secret, role, ...(token === undefined ? {} : { token }) });
    return { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret };
  }

  function respond(request: Request): Answer {
    const caller = callerOf(request, (accessKey, token) => {
      const known = accessKeys.get(accessKey);
      return known?.token === token ? known?.secret : undefined;
    });
    if ('wrong' in caller)
      return failure(400, caller.wrong, 'The security token included in the request is invalid.');
    if (caller.region !== region || caller.service !== 'kms') {
      return failure(400, 'SignatureDoesNotMatch', `Credential should be scoped to a valid region.`);
    }
    const operation = String(request.headers['x-amz-target']).replace('TrentService.', '');
    const body = JSON.parse(request.body) as Record<string, string>;
    const arn = resolve(body['KeyId'] ?? '');
    const key = keys.get(arn);
    if (key === undefined) return failure(400, 'NotFoundException', `Key '${arn}' does not exist`);
    const role = accessKeys.get(caller.accessKey)?.role;
    if (operation === 'GetPublicKey') return getPublicKey(arn, key);
    if (operation !== 'Sign') return failure(400, 'UnknownOperationException');
    if (role !== 'signer') {
      return failure(
        400,
        'AccessDeniedException',
        `User is not authorized to perform: kms:Sign on resource: ${arn}`,
      );
    }
    return sign(arn, key, body);
  }

  function resolve(id: string): string {
    const name = id.replace(/^arn:aws:kms:[^:]+:\d+:(?=alias\/)/, '');
    return aliases.get(name) ?? (id.startsWith('arn:') ? id : `arn:aws:kms:${region}:111122223333:key/${id}`);
  }

  function disabled(arn: string, [version]: readonly StoredVersion[]): Answer | undefined {
    return version?.enabled === true ? undefined : failure(400, 'DisabledException', `${arn} is disabled.`);
  }

  function getPublicKey(arn: string, { kind, versions, usage }: AwsKey): Answer {
    const spki = versions[0]?.publicKey.export({ format: 'der', type: 'spki' });
    return (
      disabled(arn, versions) ?? {
        status: 200,
        json: {
          KeyId: arn,
          PublicKey: spki?.toString('base64'),
          KeySpec: specs[kind],
          KeyUsage: usage,
          ...(usage === 'SIGN_VERIFY' ? { SigningAlgorithms: algorithmsOf(kind) } : {}),
        },
      }
    );
  }

  function sign(arn: string, key: AwsKey, body: Record<string, string>): Answer {
    const algorithm = body['SigningAlgorithm'] ?? '';
    const [version] = key.versions;
    const refused = disabled(arn, key.versions);
    if (refused !== undefined) return refused;
    if (key.usage !== 'SIGN_VERIFY' || !algorithmsOf(key.kind).includes(algorithm)) {
      return failure(400, 'InvalidKeyUsageException', `${algorithm} is not valid for the key.`);
    }
    const digest = Buffer.from(body['Message'] ?? '', 'base64');
    if (body['MessageType'] !== 'DIGEST')
      return failure(400, 'ValidationException', 'the double signs digests only');
    if (hashOf(digest) !== `sha${/\d+$/.exec(algorithm)?.[0]}`) {
      return failure(400, 'ValidationException', `Digest is invalid length for algorithm ${algorithm}.`);
    }
    if (version === undefined) return failure(400, 'NotFoundException');
    const pss = algorithm.includes('PSS');
    const signature = signDigest(digest, { key, version, pss, format: 'der', lie: service.trouble.lie });
    return {
      status: 200,
      json: { KeyId: arn, Signature: Buffer.from(signature).toString('base64'), SigningAlgorithm: algorithm },
    };
  }

  /** The query protocol, XML back. */
  function assumeRole(request: Request): Answer {
    const form = new URLSearchParams(request.body);
    if (
      form.get('Action') !== 'AssumeRoleWithWebIdentity' ||
      !form.get('RoleArn')?.startsWith('arn:aws:iam::')
    ) {
      return {
        status: 400,
        text: '<ErrorResponse><Error><Code>InvalidAction</Code></Error></ErrorResponse>',
      };
    }
    if (form.get('WebIdentityToken') !== identityToken) {
      const error = '<Code>InvalidIdentityToken</Code><Message>No OpenIDConnect provider found</Message>';
      return {
        status: 400,
        text: `<ErrorResponse><Error>${error}</Error></ErrorResponse>`,
        headers: { 'content-type': 'text/xml' },
      };
    }
    const token = randomBytes(12).toString('hex');
    const key = createAccessKey('signer', token);
    const credentials = [
      `<AccessKeyId>${key.AWS_ACCESS_KEY_ID}</AccessKeyId>`,
      `<SecretAccessKey>${key.AWS_SECRET_ACCESS_KEY}</SecretAccessKey>`,
      `<SessionToken>${token}</SessionToken>`,
      `<Expiration>${new Date(Date.now() + 3_600_000).toISOString()}</Expiration>`,
    ].join('');
    return {
      status: 200,
      text: `<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>${credentials}</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`,
      headers: { 'content-type': 'text/xml' },
    };
  }

  return Object.assign(service, {
    region,
    keys,
    aliases,
    identityToken,
    sts,
    createAccessKey: (role: Role) => createAccessKey(role),
    createKey(kind: Kind, usage: AwsKey['usage'] = 'SIGN_VERIFY') {
      const arn = `arn:aws:kms:${region}:111122223333:key/${randomUUID()}`;
      keys.set(arn, { kind, versions: [newVersion(kind)], usage });
      return arn;
    },
    async close() {
      await Promise.all([closeKms(), sts.close()]);
    },
  });
}
