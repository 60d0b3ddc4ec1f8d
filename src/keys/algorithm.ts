import { constants, createHash, type KeyObject, verify } from 'node:crypto';
import type { Algorithm, HashName } from '../model/signature.ts';

/** RSA keys of fewer bits are refused. */
const smallestRsa = 2_048;

/** A curve of ECDSA keys, and its names. */
interface Curve {
  /** NIST's name, which JWK uses too. */
  readonly name: string;
  readonly ssh: string;
  readonly pgp: string;
  /** The digests that are signed: usually SHA-256, in some KMSs only the one as long as the curve. */
  readonly digests: readonly [HashName, ...HashName[]];
}

/** The curves by node's names for them. */
export const curves: ReadonlyMap<string, Curve> = new Map<string, Curve>([
  ['prime256v1', { name: 'P-256', ssh: 'nistp256', pgp: 'nistP256', digests: ['sha256'] }],
  ['secp384r1', { name: 'P-384', ssh: 'nistp384', pgp: 'nistP384', digests: ['sha256', 'sha384'] }],
  ['secp521r1', { name: 'P-521', ssh: 'nistp521', pgp: 'nistP521', digests: ['sha256', 'sha512'] }],
]);

/** The curve of an ECDSA key; undefined for other keys and other curves. */
export function curveOf(key: KeyObject): Curve | undefined {
  return curves.get(key.asymmetricKeyDetails?.namedCurve ?? '');
}

const rsaDigests = ['sha256', 'sha384', 'sha512'] as const;

/** Every way in which a key of this kind may have signed, the usual one first; none for a kind that isn't accepted. */
export function algorithmsOf(publicKey: KeyObject): readonly Algorithm[] {
  switch (publicKey.asymmetricKeyType) {
    case 'ed25519':
      return [{ digest: undefined }];
    case 'ec':
      return (curveOf(publicKey)?.digests ?? []).map((digest) => ({ digest }));
    case 'rsa':
      if ((publicKey.asymmetricKeyDetails?.modulusLength ?? 0) < smallestRsa) return [];
      return [false, true].flatMap((pss) => rsaDigests.map((digest) => ({ digest, pss })));
    default:
      return [];
  }
}

/** The kinds of key that sign runs, in words. */
export const acceptedKinds = `ECDSA P-256, P-384 and P-521, Ed25519, and RSA of ${smallestRsa} bits or more`;

/** What kind of key this is, in words that follow "is": `an EC key on secp256k1`. */
export function kindOf({ asymmetricKeyType: type, asymmetricKeyDetails }: KeyObject): string {
  const { namedCurve = 'a curve without a name', modulusLength = 0 } = asymmetricKeyDetails ?? {};
  if (type === 'rsa') return `an RSA key of ${modulusLength} bits`;
  return type === 'ec' ? `an EC key on ${namedCurve}` : `a key of the type ${type ?? 'unknown'}`;
}

/** The digest as long as the key's curve, which some KMSs demand; SHA-256 for RSA, undefined for Ed25519. */
export function digestOfCurve(publicKey: KeyObject): HashName | undefined {
  if (publicKey.asymmetricKeyType === 'ed25519') return undefined;
  return curveOf(publicKey)?.digests.at(-1) ?? 'sha256';
}

/** What the key signs: the message's digest, or the message. */
export function inputFor({ digest }: Algorithm, message: Uint8Array): Uint8Array {
  return digest === undefined ? message : createHash(digest).update(message).digest();
}

/** Whether the key made this signature of this message with this algorithm. */
export function verifies(
  { digest, pss }: Algorithm,
  publicKey: KeyObject,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  const padding = pss
    ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_AUTO }
    : {};
  return verify(digest, message, { key: publicKey, ...padding }, signature);
}
