import type * as openpgp from 'openpgp';
import { config, publicKeyOf, readArmoredKey, verifyPgp } from '../keys/pgp.ts';
import { reasonOf } from '../errors.ts';
import { keyIdOf } from '../keys/key-id.ts';
import { invalid, type VerificationKey } from './key.ts';

/** Reads an armored PGP public key. @throws ChainsError KEY_INVALID when it is damaged. */
export async function pgpKey(armored: string): Promise<VerificationKey> {
  const key = await readArmoredKey(armored).catch((cause: unknown) => {
    throw invalid(`can't be used as a PGP PUBLIC KEY BLOCK: ${reasonOf(cause)}`, cause);
  });
  return {
    id: key.getFingerprint().toUpperCase(),
    keyIds: [key, ...key.subkeys].flatMap(({ keyPacket }) => {
      const publicKey = publicKeyOf(keyPacket);
      return publicKey === undefined ? [] : [keyIdOf(publicKey)];
    }),
    check: async (message, signature) =>
      (await whyInvalid(key)) ?? (await whyNotSigned(key, message, signature)),
  };
}

/** A key that has expired or been revoked since it signed proves nothing: gpg would warn and leave it to the reader. */
async function whyInvalid(key: openpgp.Key): Promise<string | undefined> {
  const now = new Date();
  if (await key.isRevoked(undefined, undefined, now, config)) return 'is revoked';
  const expires = await key.getExpirationTime(undefined, config);
  if (expires === null) return 'has no user ID that the key itself certifies';
  return expires instanceof Date && expires <= now ? `expired on ${expires.toISOString()}` : undefined;
}

async function whyNotSigned(
  key: openpgp.Key,
  message: Uint8Array,
  armored: Uint8Array,
): Promise<string | undefined> {
  const signed = await verifyPgp(key, message, armored);
  if (typeof signed === 'string') return signed;
  // The key was valid when it signed, but a subkey may have expired or been revoked since.
  return key.getSigningKey(signed.keyId, new Date(), undefined, config).then(
    () => undefined,
    (error: unknown) => `signed it with a key that is no longer valid (${reasonOf(error)})`,
  );
}
