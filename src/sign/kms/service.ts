import type { KeyObject } from 'node:crypto';
import type { Config } from '../../config/keys.ts';
import { failuresOf } from '../../http/failures.ts';
import { type ServiceAnswer, openService, type Service, type ServiceTls, words } from '../../http/service.ts';
import type { Json } from '../../json.ts';
import { digestOfCurve } from '../../keys/algorithm.ts';
import type { Algorithm, HashName } from '../../model/signature.ts';

/** One version of a key in a KMS. */
export interface KeyVersion {
  /** As the KMS names it in its answers. */
  readonly name: string;
  readonly publicKey: KeyObject;
  readonly algorithm: Algorithm;
}

/** One key in one KMS. Its errors are KMS_UNAVAILABLE, KMS_REFUSED or SIGNATURE_INVALID, or the signal's reason. */
export interface KeyService {
  /** The version of this name, by default the one that signs now. */
  keyVersion(signal: AbortSignal, name?: string): Promise<KeyVersion>;
  /**
   * Signs, in DER for ECDSA, and says which version did, which need not be the given one.
   * @param input what the key's algorithm signs: a digest, or the message
   */
  sign(
    input: Uint8Array,
    key: KeyVersion,
    signal: AbortSignal,
  ): Promise<{ readonly bytes: Uint8Array; readonly version: string }>;
  close(): Promise<void>;
}

/** The reference to a key in a KMS: `signers.kms.kmsref`. */
export type KeyReference = NonNullable<Config['signers.kms.kmsref']>;

/** What a KMS is opened with. */
export interface KeyServiceOptions {
  readonly reference: KeyReference;
  readonly config: Config;
  readonly environment: NodeJS.ProcessEnv;
}

/** Opens a KMS without sending a request. @throws ChainsError KMS_REFUSED when the settings don't say how to reach it. */
export type OpenKeyService = (options: KeyServiceOptions) => Promise<KeyService>;

/** How a key in a KMS signs: RSA with PSS if the reference has `?padding=pss`. @param digest by default as long as the curve */
export function algorithmFor(
  publicKey: KeyObject,
  { options }: KeyReference,
  digest: HashName | undefined = digestOfCurve(publicKey),
): Algorithm {
  return { digest, pss: publicKey.asymmetricKeyType === 'rsa' && options.get('padding') === 'pss' };
}

/** How failures of a KMS are reported: the statuses of a Vault on standby are temporary too. */
export const failures = failuresOf({
  unavailable: 'KMS_UNAVAILABLE',
  refused: 'KMS_REFUSED',
  temporary: [412, 472, 473],
});

/** The most bytes of an answer. */
export const longestAnswer = 1024 * 1024;

/**
 * Opens connections to a KMS. A call takes as long as its signal allows.
 * @param reasonIn finds the KMS's own words in the body of an error
 */
export function openConnections(
  reasonIn: (body: Json | undefined) => readonly (Json | undefined)[],
  tls: ServiceTls = {},
): Service {
  return openService({ failures, tls, longestAnswer, reasonIn: ({ body }) => words(reasonIn(body)) });
}

/** The JSON of an answer. @throws ChainsError KMS_UNAVAILABLE if there is none */
export function jsonIn(what: string, { body }: ServiceAnswer): Json {
  if (body === undefined) throw failures.unreadable(what, 'no JSON');
  return body;
}
