import { unlessAborted } from '../../concurrency.ts';
import { ChainsError } from '../../errors.ts';
import { acceptedKinds, algorithmsOf, inputFor, kindOf, verifies } from '../../keys/algorithm.ts';
import { signingKeyOf } from '../../keys/key-id.ts';
import type { Signature } from '../../model/signature.ts';
import type { Signer } from '../signer.ts';
import { failures, type KeyService, type KeyVersion } from './service.ts';

/** Times of a signer, in milliseconds. */
export interface KmsPace {
  /** How long one request to the KMS may take. */
  readonly timeout: number;
  /** How long the current version of the key is cached. */
  readonly refresh: number;
}

/**
 * Signs with a key in a KMS. The public key is fetched once, and again when the KMS says that another version signed, when
 * it refuses to sign, and after `refresh`. Every signature is verified under the public key of the version that made it
 * before it is returned.
 * @param name the reference, for messages
 * @throws ChainsError KMS_UNAVAILABLE or KMS_REFUSED; the service is closed then.
 */
export async function openKmsSigner(
  service: KeyService,
  name: string,
  { timeout, refresh }: KmsPace,
): Promise<Signer> {
  let known: { readonly key: Promise<KeyVersion>; readonly until: number } | undefined;

  function cache(key: Promise<KeyVersion>): void {
    known = { key, until: performance.now() + refresh };
  }

  /** The version in use; concurrent callers share one request. */
  function currentKey(): Promise<KeyVersion> {
    if (known !== undefined && performance.now() < known.until) return known.key;
    const key = fetchKey(undefined, undefined);
    cache(key);
    key.catch(() => {
      if (known?.key === key) known = undefined;
    });
    return key;
  }

  async function fetchKey(version: string | undefined, signal: AbortSignal | undefined): Promise<KeyVersion> {
    const key = await request(`fetch the public key of ${name}`, signal, (either) =>
      service.keyVersion(either, version),
    );
    if (isAccepted(key)) return key;
    throw failures.unusable(
      `${name} is ${kindOf(key.publicKey)}; use ${acceptedKinds} (Ed25519 only in Vault and OpenBao)`,
    );
  }

  /** Any other error, in sending the request or in reading the answer, is worth another try. */
  async function request<T>(
    what: string,
    signal: AbortSignal | undefined,
    send: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    try {
      return await failures.within(timeout, what, signal, send);
    } catch (error) {
      signal?.throwIfAborted();
      throw failures.unanswered(what, error);
    }
  }

  async function signWith(
    key: KeyVersion,
    message: Uint8Array,
    signal: AbortSignal | undefined,
  ): Promise<Signature> {
    const input = inputFor(key.algorithm, message);
    const { bytes, version } = await request(`sign with ${name}`, signal, (either) =>
      service.sign(input, key, either),
    );
    const maker = version === key.name ? key : await fetchKey(version, signal);
    if (!verifies(maker.algorithm, maker.publicKey, message, bytes)) {
      throw new ChainsError(
        'SIGNATURE_INVALID',
        `sign with ${name}: the signature does not verify under the public key of version ${version}, and was discarded`,
      );
    }
    if (maker !== key) cache(Promise.resolve(maker));
    return { bytes, key: signingKeyOf(maker.publicKey, maker.algorithm) };
  }

  try {
    await currentKey();
  } catch (error) {
    await service.close();
    throw error;
  }
  return {
    async sign(message, { signal } = {}) {
      signal?.throwIfAborted();
      const key = await unlessAborted(signal, currentKey());
      try {
        return await signWith(key, message, signal);
      } catch (error) {
        if (!(error instanceof ChainsError) || error.code !== 'KMS_REFUSED') throw error;
        // The version may have been disabled or destroyed since, and replaced by another one.
        known = undefined;
        const other = await unlessAborted(signal, currentKey());
        if (other.name === key.name) throw error;
        return signWith(other, message, signal);
      }
    },
    async key() {
      const { publicKey, algorithm } = await currentKey();
      return signingKeyOf(publicKey, algorithm);
    },
    close: () => service.close(),
  };
}

function isAccepted({ publicKey, algorithm }: KeyVersion): boolean {
  return algorithmsOf(publicKey).some(
    ({ digest, pss = false }) => digest === algorithm.digest && pss === (algorithm.pss ?? false),
  );
}
