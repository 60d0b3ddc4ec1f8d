import { createPublicKey } from 'node:crypto';
import { Agent } from 'node:https';
import { GetPublicKeyCommand, KMSClient, SignCommand, type SigningAlgorithmSpec } from '@aws-sdk/client-kms';
import { type ChainsError, reasonOf } from '../../errors.ts';
import { at } from '../../json.ts';
import type { Algorithm } from '../../model/signature.ts';
import { algorithmFor, failures, type KeyService, type KeyServiceOptions } from './service.ts';

/**
 * Opens a key of AWS KMS, by `awskms:///ARN`, `awskms:///KEYID`, `awskms:///alias/NAME`, or the same after the host of
 * another endpoint. Credentials come from the SDK's chain: environment, shared files, web identity (IRSA), container and
 * instance. The region is the ARN's, or else the chain's. ECDSA keys sign the digest as long as their curve, RSA keys
 * SHA-256; `?padding=pss` makes an RSA key sign with PSS.
 */
export async function openAws({ reference, environment }: KeyServiceOptions): Promise<KeyService> {
  const slash = reference.path.indexOf('/');
  const endpoint = reference.path.slice(0, slash);
  const keyId = reference.path.slice(slash + 1);
  const region = /^arn:[^:]+:kms:([^:]+):/.exec(keyId)?.[1];
  const client = new KMSClient({
    ...(endpoint === '' ? {} : { endpoint: `https://${endpoint}` }),
    ...(region === undefined ? {} : { region }),
    // The controller retries by itself, with longer pauses.
    maxAttempts: 1,
    requestHandler: { httpsAgent: new Agent({ keepAlive: true, maxSockets: 16, proxyEnv: environment }) },
  });

  return {
    async keyVersion(abortSignal, version) {
      const what = `read the public key of ${reference.text}`;
      const command = new GetPublicKeyCommand({ KeyId: version ?? keyId });
      const answer = await client.send(command, { abortSignal }).catch(rethrow(what, abortSignal));
      if (answer.PublicKey === undefined || answer.KeyId === undefined)
        throw failures.unreadable(what, 'no public key');
      if (answer.KeyUsage !== 'SIGN_VERIFY') {
        throw failures.unusable(
          `${reference.text} is a key for ${answer.KeyUsage ?? 'nothing'}: use one for SIGN_VERIFY`,
        );
      }
      const publicKey = createPublicKey({ key: Buffer.from(answer.PublicKey), format: 'der', type: 'spki' });
      return { name: answer.KeyId, publicKey, algorithm: algorithmFor(publicKey, reference) };
    },

    async sign(input, { publicKey, algorithm }, abortSignal) {
      const what = `sign with ${reference.text}`;
      const command = new SignCommand({
        KeyId: keyId,
        Message: input,
        MessageType: 'DIGEST',
        SigningAlgorithm: nameOf(algorithm, publicKey.asymmetricKeyType === 'rsa'),
      });
      const answer = await client.send(command, { abortSignal }).catch(rethrow(what, abortSignal));
      if (answer.Signature === undefined || answer.KeyId === undefined)
        throw failures.unreadable(what, 'no signature');
      return { bytes: answer.Signature, version: answer.KeyId };
    },

    async close() {
      client.destroy();
    },
  };
}

const ecdsa = { sha256: 'ECDSA_SHA_256', sha384: 'ECDSA_SHA_384', sha512: 'ECDSA_SHA_512' } as const;

function nameOf({ digest = 'sha256', pss }: Algorithm, rsa: boolean): SigningAlgorithmSpec {
  if (!rsa) return ecdsa[digest];
  return pss ? 'RSASSA_PSS_SHA_256' : 'RSASSA_PKCS1_V1_5_SHA_256';
}

/** Temporary errors that have the status 400. */
const temporary = /Throttl|TooManyRequests|LimitExceeded|RequestTimeout|RequestTimeTooSkewed/;

/** Turns the library's errors into ours. */
function rethrow(what: string, signal: AbortSignal): (error: unknown) => never {
  return (error) => {
    signal.throwIfAborted();
    throw failure(what, error);
  };
}

function failure(what: string, error: unknown): ChainsError {
  if (!(error instanceof Error)) return failures.unanswered(what, error);
  if (error.name === 'CredentialsProviderError') {
    return failures.unusable(
      `${what}: ${reasonOf(error)}; give the pod a role (web identity) or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY`,
    );
  }
  if (error.message === 'Region is missing') {
    return failures.unusable(`${what}: no region is set; name the key by its ARN, or set AWS_REGION`);
  }
  const status = at(error, '$metadata', 'httpStatusCode');
  if (typeof status !== 'number' || status < 400) return failures.unanswered(what, error);
  return failures.refusal(
    what,
    temporary.test(error.name) ? 429 : status,
    `${error.name}: ${reasonOf(error)}`,
  );
}
