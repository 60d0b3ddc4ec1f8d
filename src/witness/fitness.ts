import { createPublicKey } from 'node:crypto';
import type { Config } from '../config/keys.ts';
import { curveOf, kindOf } from '../keys/algorithm.ts';
import type { Algorithm, SigningKey } from '../model/signature.ts';

/**
 * Why a log with this API does not accept signatures of this key; undefined if it does (transparency.md, "The log"). Version 1
 * verifies envelopes with SHA-256, and bare signatures by their digest, so not plain Ed25519. Version 2 verifies everything by
 * its digest, and only by keys that Sigstore has a name for.
 */
export function whyNotLogged(
  api: Config['transparency.api'],
  key: SigningKey,
  isBare: boolean,
): string | undefined {
  const { algorithm } = key;
  if (algorithm === undefined) return 'the transparency log takes no PGP signatures; use another signer';
  const kind = kindOf(createPublicKey(key.publicKey));
  const { digest, pss = false } = algorithm;
  if (api === 'v1' && digest === undefined)
    return isBare
      ? `the key is ${kind}, and the log takes what such a key signs in envelopes only; use an in-toto format, or an ECDSA key`
      : undefined;
  const isTaken =
    api === 'v2'
      ? digest !== undefined && keyDetailsOf(key) !== undefined
      : !pss && (isBare || digest === 'sha256');
  if (isTaken) return undefined;
  const signs =
    digest === undefined ? 'the message itself' : `a ${digest.toUpperCase()} digest${pss ? ' with PSS' : ''}`;
  return `the key is ${kind} and signs ${signs}, which a log with transparency.api ${api} does not take; use an ECDSA P-256 key${api === 'v2' ? ', or v1' : ''}`;
}

/** Sigstore's name for a key and how it signs (`PublicKeyDetails`); undefined if there is none (transparency.md, "The log"). */
export function keyDetailsOf({ publicKey, algorithm }: SigningKey): string | undefined {
  if (algorithm === undefined) return undefined;
  const key = createPublicKey(publicKey);
  const { asymmetricKeyType: type, asymmetricKeyDetails: { modulusLength = 0 } = {} } = key;
  if (type === 'ed25519') return 'PKIX_ED25519';
  if (type === 'rsa') return rsaDetails(modulusLength, algorithm);
  return ecdsaDetails.get(`${curveOf(key)?.name} ${algorithm.digest}`);
}

const ecdsaDetails: ReadonlyMap<string, string> = new Map([
  ['P-256 sha256', 'PKIX_ECDSA_P256_SHA_256'],
  ['P-384 sha384', 'PKIX_ECDSA_P384_SHA_384'],
  ['P-521 sha512', 'PKIX_ECDSA_P521_SHA_512'],
]);

function rsaDetails(bits: number, { digest, pss = false }: Algorithm): string | undefined {
  const isNamed = [2_048, 3_072, 4_096].includes(bits) && digest === 'sha256' && !pss;
  return isNamed ? `PKIX_RSA_PKCS1V15_${bits}_SHA256` : undefined;
}
