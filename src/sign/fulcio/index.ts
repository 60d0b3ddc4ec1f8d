import { generateKeyPair, sign } from 'node:crypto';
import { promisify } from 'node:util';
import { unlessAborted } from '../../concurrency.ts';
import type { Config } from '../../config/keys.ts';
import { ChainsError } from '../../errors.ts';
import type { SigningKey } from '../../model/signature.ts';
import { reportOutcome } from '../../sigstore/report.ts';
import { withoutTrailing } from '../../text.ts';
import type { Signer, SignerSurroundings } from '../signer.ts';
import { signingKeyOf } from '../../keys/key-id.ts';
import { type EphemeralKey, type IssuedCertificate, requestCertificate } from './certificate.ts';
import { identityToken } from './identity.ts';
import { openFulcioService } from './service.ts';

/** Milliseconds: a certificate that expires sooner than this is renewed before it signs. */
const shortestUse = 120_000;
/** Milliseconds until the next request to Fulcio after a failure; until then the same error is thrown. */
const pauseAfterFailure = 1_000;

interface Certified {
  readonly pair: EphemeralKey;
  readonly key: SigningKey;
  readonly issued: IssuedCertificate;
}

/**
 * Opens the keyless signer: an ephemeral key with a certificate of Fulcio's, used for many signatures until two minutes before
 * it expires. One certificate is requested at a time. The private key is never written anywhere.
 * @param options for tests
 * @throws ChainsError FULCIO_…, EVIDENCE_INVALID, TRUSTED_ROOT_INVALID
 */
export async function openFulcio(
  config: Config,
  { trust, access, onSigstore }: SignerSurroundings,
  {
    now = Date.now,
    environment = process.env,
  }: { readonly now?: () => number; readonly environment?: NodeJS.ProcessEnv } = {},
): Promise<Signer> {
  const url = withoutTrailing(config['signers.x509.fulcio.address'], '/');
  const service = openFulcioService();
  let current: Certified | undefined;
  let renewing: Promise<Certified> | undefined;
  let failed: { readonly error: unknown; readonly until: number } | undefined;

  async function renew(): Promise<Certified> {
    const material = await (await trust()).of('certificate authority', url);
    const pair = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' });
    const token = await identityToken({ config, environment, access, service });
    const issued = await requestCertificate(token, pair, { service, url, trust: material });
    return { pair, key: signingKeyOf(pair.publicKey), issued };
  }

  /** The clock here may be behind Fulcio's, so `validFrom` may be in the future. */
  function timeLeft({ validFrom, validUntil }: IssuedCertificate): number {
    return Number(validUntil) - Math.max(now(), Number(validFrom));
  }

  async function certified(signal: AbortSignal | undefined): Promise<Certified> {
    if (current !== undefined && timeLeft(current.issued) > shortestUse) return current;
    if (failed !== undefined && now() < failed.until) throw failed.error;
    renewing ??= reportOutcome(onSigstore, 'fulcio', renew, ({ issued: { validUntil } }) => ({ validUntil }))
      .then((fresh) => {
        failed = undefined;
        current = fresh;
        return fresh;
      })
      .catch((error: unknown) => {
        const asked = error instanceof ChainsError ? (error.retryAfter ?? 0) : 0;
        failed = { error, until: now() + Math.max(asked, pauseAfterFailure) };
        throw error;
      })
      .finally(() => {
        renewing = undefined;
      });
    return unlessAborted(signal, renewing);
  }

  const signer: Signer = {
    async sign(message, { signal } = {}) {
      const { pair, key, issued } = await certified(signal);
      const { validFrom: _, ...certificate } = issued;
      return { bytes: sign('sha256', message, pair.privateKey), key, ...certificate };
    },
    key: async () => (await certified(undefined)).key,
    close: () => service.close(),
  };
  try {
    await certified(undefined);
    return signer;
  } catch (error) {
    await service.close();
    throw error;
  }
}
