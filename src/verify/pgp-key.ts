import * as openpgp from 'openpgp';
import { reasonOf } from '../model/errors.ts';
import { keyIdOf } from '../sign/key-id.ts';
import { config } from '../sign/pgp-key.ts';
import { publicKeyOf } from '../sign/pgp-public-key.ts';
import { invalid, type VerificationKey } from './key.ts';

/** Reads an armored PGP public key. @throws ChainsError KEY_INVALID when it is damaged. */
export async function pgpKey(armored: string): Promise<VerificationKey> {
  const keys = await openpgp.readKeys({ armoredKeys: armored, config }).catch((cause: unknown) => {
    throw invalid('is a damaged PGP PUBLIC KEY BLOCK', cause);
  });
  const [key] = keys;
  if (key === undefined || keys.length > 1) throw invalid(`holds ${keys.length} PGP keys; give one`);
  return {
    id: key.getFingerprint().toUpperCase(),
    keyIds: [key, ...key.subkeys].flatMap(({ keyPacket }) => {
      const publicKey = publicKeyOf(keyPacket);
      return publicKey === undefined ? [] : [keyIdOf(publicKey)];
    }),
    check: async (message, signature) =>
      (await whyItDoesNotCount(key)) ?? (await whyNotSigned(key, message, signature)),
  };
}

/** A key that has lapsed since it signed no longer vouches for anything: gpg would say so and leave it to the reader. */
async function whyItDoesNotCount(key: openpgp.Key): Promise<string | undefined> {
  const now = new Date();
  if (await key.isRevoked(undefined, undefined, now, config)) return 'is revoked';
  const expires = await key.getExpirationTime(undefined, config);
  if (expires === null) return 'has no user id that it vouches for itself';
  return expires instanceof Date && expires <= now ? `expired on ${expires.toISOString()}` : undefined;
}

async function whyNotSigned(
  key: openpgp.Key,
  message: Uint8Array,
  armored: Uint8Array,
): Promise<string | undefined> {
  try {
    const armoredSignature = Buffer.from(armored).toString('latin1');
    const signature = await openpgp.readSignature({ armoredSignature, config });
    const { signatures } = await openpgp.verify({
      message: await openpgp.createMessage({ binary: message }),
      ...{ signature, verificationKeys: key, config },
      format: 'binary',
    });
    const [only, ...more] = signatures;
    if (only === undefined || more.length > 0)
      return `did not make this: there are ${signatures.length} signatures, not one`;
    await only.verified;
    // It was good when it signed; a subkey may have lapsed since.
    return await key.getSigningKey(only.keyID, new Date(), undefined, config).then(
      () => undefined,
      (error: unknown) => `signed it with a key that no longer counts (${reasonOf(error)})`,
    );
  } catch (error) {
    return `did not make this signature of this payload (${reasonOf(error)})`;
  }
}
