import type { Config } from '../config/keys.ts';
import { kindOf } from '../keys/algorithm.ts';
import type { Algorithm, SigningKey } from '../model/signature.ts';
import { keyDetailsOf } from '../sigstore/key-details.ts';
import { createPublicKey } from 'node:crypto';

/**
 * Why a log with this API takes no signature of this key, in words for people; undefined where it does (transparency.md, "The
 * log"). Version 1 verifies envelopes with SHA-256, and what is bare by the digest, which plain Ed25519 has none of; version 2
 * knows keys by names that say how they sign, and all by their digest.
 */
export function whyNotLogged(
  api: Config['transparency.api'],
  key: SigningKey,
  isBare: boolean,
): string | undefined {
  const { algorithm } = key;
  if (algorithm === undefined) return 'the transparency log takes no PGP signatures; use another signer';
  const kind = kindOf(createPublicKey(key.publicKey));
  const isHashed = algorithm.digest !== undefined;
  if (api === 'v2')
    return isHashed && keyDetailsOf(key) !== undefined
      ? undefined
      : `the key is ${kind} and signs ${wayOf(algorithm)}, which a log with transparency.api v2 does not take; use an ECDSA P-256 key, or v1`;
  if (!isHashed)
    return isBare
      ? `the key is ${kind}, and the log takes what such a key signs in envelopes only; use an in-toto format, or an ECDSA key`
      : undefined;
  const isTaken = algorithm.pss !== true && (isBare || algorithm.digest === 'sha256');
  return isTaken
    ? undefined
    : `the key is ${kind} and signs ${wayOf(algorithm)}, which a log with transparency.api v1 does not take; use an ECDSA P-256 key`;
}

function wayOf({ digest, pss = false }: Algorithm): string {
  if (digest === undefined) return 'the message itself';
  return `a ${digest.toUpperCase()} digest${pss ? ' with PSS' : ''}`;
}
