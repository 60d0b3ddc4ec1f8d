import { createPublicKey } from 'node:crypto';
import { curveOf } from '../keys/algorithm.ts';
import type { Algorithm, SigningKey } from '../model/signature.ts';

/** Sigstore's name for a key and how it signs (`PublicKeyDetails`); undefined for what it has no name for (transparency.md, "The log"). */
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
