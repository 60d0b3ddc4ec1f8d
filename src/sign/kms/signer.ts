import { ChainsError } from '../../errors.ts';
import type { Signature } from '../../model/signature.ts';
import { acceptedKinds, algorithmsOf, inputFor, kindOf, verifies } from '../../keys/algorithm.ts';
import { signingKeyOf } from '../../keys/key-id.ts';
import type { Signer } from '../signer.ts';
import { unlessAborted } from '../../concurrency.ts';
import { unanswered, unusable, within } from './service.ts';
import type { KeyService, KeyVersion } from './key-service.ts';

/** Times of a signer, in milliseconds. */
export interface KmsPace {
  /** How long the KMS may take, for one question. */
  readonly timeout: number;
  /** After how long to ask again which version of the key signs. */
  readonly refresh: number;
}

/**
 * Signs with a key in a KMS. The public key is fetched once, and again when the KMS says that another version signed, when
 * it refuses to sign, and every few minutes. Every signature is verified under the public key of the version that made it
 * before it is returned.
 */
export class KmsSigner implements Signer {
  readonly #service: KeyService;
  /** The reference, for messages. */
  readonly #name: string;
  readonly #pace: KmsPace;
  #known: { readonly key: Promise<KeyVersion>; readonly until: number } | undefined;

  private constructor(service: KeyService, name: string, pace: KmsPace) {
    this.#service = service;
    this.#name = name;
    this.#pace = pace;
  }

  /** Fetches the public key. @throws ChainsError KMS_UNAVAILABLE or KMS_REFUSED; the service is closed then. */
  static async open(service: KeyService, name: string, pace: KmsPace): Promise<KmsSigner> {
    const signer = new KmsSigner(service, name, pace);
    try {
      await signer.#key();
      return signer;
    } catch (error) {
      await service.close?.();
      throw error;
    }
  }

  async sign(
    message: Uint8Array,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<Signature> {
    signal?.throwIfAborted();
    const key = await unlessAborted(signal, this.#key());
    try {
      return await this.#signWith(key, message, signal);
    } catch (error) {
      if (!(error instanceof ChainsError) || error.code !== 'KMS_REFUSED') throw error;
      // The version may have been disabled or destroyed since, and another one have taken its place.
      this.#known = undefined;
      const other = await unlessAborted(signal, this.#key());
      if (other.name === key.name) throw error;
      return this.#signWith(other, message, signal);
    }
  }

  async key(): Promise<Signature['key']> {
    const { publicKey, algorithm } = await this.#key();
    return signingKeyOf(publicKey, algorithm);
  }

  async close(): Promise<void> {
    await this.#service.close?.();
  }

  /** The version in use; callers at the same time share one question. */
  #key(): Promise<KeyVersion> {
    if (this.#known !== undefined && performance.now() < this.#known.until) return this.#known.key;
    const key = this.#fetch(undefined, undefined);
    this.#know(key);
    key.catch(() => {
      if (this.#known?.key === key) this.#known = undefined;
    });
    return key;
  }

  #know(key: Promise<KeyVersion>): void {
    this.#known = { key, until: performance.now() + this.#pace.refresh };
  }

  async #fetch(version: string | undefined, signal: AbortSignal | undefined): Promise<KeyVersion> {
    const what = `fetch the public key of ${this.#name}`;
    const key = await this.#ask(what, signal, (either) => this.#service.keyVersion(either, version));
    const wrong = whatIsWrong(key);
    if (wrong === undefined) return key;
    throw unusable(`${this.#name} ${wrong}; use ${acceptedKinds} (Ed25519 only in Vault and OpenBao)`);
  }

  /** Whatever goes wrong on the way to the answer, or in reading it, is worth another try. */
  async #ask<T>(
    what: string,
    signal: AbortSignal | undefined,
    question: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    try {
      return await within(this.#pace.timeout, what, signal, question);
    } catch (error) {
      signal?.throwIfAborted();
      throw unanswered(what, error);
    }
  }

  async #signWith(key: KeyVersion, message: Uint8Array, signal: AbortSignal | undefined): Promise<Signature> {
    const input = inputFor(key.algorithm, message);
    const { bytes, version } = await this.#ask(`sign with ${this.#name}`, signal, (either) =>
      this.#service.sign(input, key, either),
    );
    const maker = version === key.name ? key : await this.#fetch(version, signal);
    if (!verifies(maker.algorithm, maker.publicKey, message, bytes)) {
      throw new ChainsError(
        'SIGNATURE_INVALID',
        `sign with ${this.#name}: the signature that came does not verify under the public key of version ${version}, and was thrown away`,
      );
    }
    if (maker !== key) this.#know(Promise.resolve(maker));
    return { bytes, key: signingKeyOf(maker.publicKey, maker.algorithm) };
  }
}

/** What speaks against signing with this key, in words that follow its name. */
function whatIsWrong({ publicKey, algorithm }: KeyVersion): string | undefined {
  const fits = algorithmsOf(publicKey).some(
    ({ digest, pss = false }) => digest === algorithm.digest && pss === (algorithm.pss ?? false),
  );
  return fits ? undefined : `is ${kindOf(publicKey)}`;
}
