import { p256, p384, p521 } from '@noble/curves/nist.js';
import {
  constants,
  createHash,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  privateEncrypt,
  randomBytes,
  sign,
} from 'node:crypto';
import { rsaKeyPair } from '../sign/rsa-keys.ts';

/** The kinds of keys that the doubles keep. */
export const kinds = {
  'P-256': () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  'P-384': () => generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  'P-521': () => generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  secp256k1: () => generateKeyPairSync('ec', { namedCurve: 'secp256k1' }),
  'RSA 1024': () => rsaKeyPair(1024),
  'RSA 2048': () => rsaKeyPair(2048),
  'RSA 3072': () => rsaKeyPair(3072),
  'RSA 4096': () => rsaKeyPair(4096),
  Ed25519: () => generateKeyPairSync('ed25519'),
} as const;

/** A kind of key. */
export type Kind = keyof typeof kinds;

/** A key and its versions, the oldest first; in some services there is only one. */
export interface StoredKey {
  readonly kind: Kind;
  readonly versions: StoredVersion[];
}

/** One version of a key. */
export interface StoredVersion {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
  enabled: boolean;
}

/** How a lying service's signatures differ from what was asked for. */
export type Lie = 'by another key' | 'with a flipped bit' | 'of another message' | 'empty';

/** Makes a version of a key. */
export function newVersion(kind: Kind): StoredVersion {
  return { ...kinds[kind](), enabled: true };
}

const hashes = { 32: 'sha256', 48: 'sha384', 64: 'sha512' } as const;
const curves = { prime256v1: p256, secp384r1: p384, secp521r1: p521 } as const;

/** The hash function whose digests are this long. */
export function hashOf(digest: Uint8Array): 'sha256' | 'sha384' | 'sha512' | undefined {
  return Object.entries(hashes).find(([length]) => Number(length) === digest.length)?.[1];
}

/** The length of the digest of this name. */
export function lengthOf(hash: 'sha256' | 'sha384' | 'sha512'): number {
  return createHash(hash).digest().length;
}

/** What `signDigest` and `signMessage` have in common. */
export interface Signing {
  readonly key: StoredKey;
  readonly version: StoredVersion;
  readonly pss?: boolean;
  readonly lie?: Lie | undefined;
}

/** Signs a digest as it is, which node's own `sign` never does: ECDSA in r‖s or DER, RSA with either padding. */
export function signDigest(
  digest: Uint8Array,
  { format, ...signing }: Signing & { readonly format: 'der' | 'compact' },
): Uint8Array {
  return lying(signing, digest, (privateKey, input) => {
    if (privateKey.asymmetricKeyType === 'rsa') return signRsa(privateKey, input, signing.pss === true);
    const name = privateKey.asymmetricKeyDetails?.namedCurve;
    const curve = Object.entries(curves).find(([known]) => known === name)?.[1];
    if (curve === undefined) throw new Error(`the double signs nothing with ${name}`);
    const scalar = Buffer.from(privateKey.export({ format: 'jwk' }).d ?? '', 'base64url');
    return curve.sign(input, scalar, { prehash: false, lowS: false, format });
  });
}

/** Signs a message with Ed25519. */
export function signMessage(message: Uint8Array, signing: Signing): Uint8Array {
  return lying(signing, message, (privateKey, input) => sign(null, input, privateKey));
}

function lying(
  { key, version, lie }: Signing,
  input: Uint8Array,
  make: (privateKey: KeyObject, input: Uint8Array) => Uint8Array,
): Uint8Array {
  if (lie === 'empty') return new Uint8Array();
  if (lie === 'by another key') return make(newVersion(key.kind).privateKey, input);
  if (lie === 'of another message') return make(version.privateKey, Buffer.from(input).fill(7));
  const made = Buffer.from(make(version.privateKey, input));
  if (lie === 'with a flipped bit') made[made.length - 1] = (made.at(-1) ?? 0) ^ 1;
  return made;
}

/** DigestInfo without the digest (RFC 8017, 9.2, note 1). */
const digestInfos = {
  sha256: '3031300d060960864801650304020105000420',
  sha384: '3041300d060960864801650304020205000430',
  sha512: '3051300d060960864801650304020305000440',
} as const;

function signRsa(key: KeyObject, digest: Uint8Array, pss: boolean): Uint8Array {
  const hash = hashOf(digest);
  if (hash === undefined) throw new Error(`no digest is ${digest.length} bytes long`);
  if (pss) return privateEncrypt({ key, padding: constants.RSA_NO_PADDING }, encodePss(key, digest, hash));
  const info = Buffer.concat([Buffer.from(digestInfos[hash], 'hex'), digest]);
  return privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, info);
}

/** EMSA-PSS (RFC 8017, 9.1.1) with a salt as long as the digest and MGF1 of the same hash. */
function encodePss(key: KeyObject, digest: Uint8Array, hash: string): Uint8Array {
  const bits = createPublicKey(key).asymmetricKeyDetails?.modulusLength ?? 0;
  const salt = randomBytes(digest.length);
  const checked = createHash(hash).update(Buffer.alloc(8)).update(digest).update(salt).digest();
  const length = bits / 8 - digest.length - 1;
  const block = Buffer.concat([Buffer.alloc(length - salt.length - 1), Buffer.from([1]), salt]);
  let mask = Buffer.alloc(0);
  for (let counter = 0; mask.length < length; counter += 1) {
    const count = Buffer.alloc(4);
    count.writeUInt32BE(counter);
    mask = Buffer.concat([mask, createHash(hash).update(checked).update(count).digest()]);
  }
  const masked = block.map((byte, index) => byte ^ (mask[index] ?? 0));
  // The topmost bit stays free, since the modulus is one bit longer.
  masked[0] = (masked[0] ?? 0) & 0x7f;
  return Buffer.concat([masked, checked, Buffer.from([0xbc])]);
}
