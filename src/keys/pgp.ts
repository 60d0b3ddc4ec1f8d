import * as openpgp from 'openpgp';
import { reasonOf } from '../errors.ts';

/**
 * How the library is used: keys without flags may do what their algorithm can, as for gpg; no random notation goes into
 * signatures, since it is there against faults in the computation and every signature is verified before it is used.
 */
export const config: openpgp.Config = {
  ...openpgp.config,
  allowMissingKeyFlags: true,
  nonDeterministicSignaturesViaNotation: false,
};

/** Reads the one PGP key of an armored block, public or private. @throws Error when it is damaged or not exactly one. */
export async function readArmoredKey(armored: string): Promise<openpgp.Key> {
  const keys = await openpgp.readKeys({ armoredKeys: armored, config });
  const [key] = keys;
  if (key === undefined || keys.length > 1) throw new Error(`it holds ${keys.length} PGP keys, not one`);
  return key;
}

/** A PGP signature, and the subkey or primary key that made it. */
export interface PgpSignature {
  readonly keyId: openpgp.KeyID;
}

/**
 * Verifies an armored, detached signature of a message, made with the key by the given moment. A text says why it is not
 * one, in words that follow the key's name. Nothing may stand before or after its one armored block.
 */
export async function verifyPgp(
  key: openpgp.Key,
  message: Uint8Array,
  armored: Uint8Array,
  date: Date = new Date(),
): Promise<PgpSignature | string> {
  const armoredSignature = Buffer.from(armored).toString('latin1');
  if (!isOneArmor(armoredSignature))
    return 'did not make this: it is not one PGP SIGNATURE block with nothing before or after it';
  try {
    const { signatures } = await openpgp.verify({
      message: await openpgp.createMessage({ binary: message }),
      signature: await openpgp.readSignature({ armoredSignature, config }),
      verificationKeys: key,
      ...{ date, config },
      format: 'binary',
    });
    const [only, ...more] = signatures;
    if (only === undefined || more.length > 0)
      return `did not make this: there are ${signatures.length} signatures, not one`;
    await only.verified;
    return { keyId: only.keyID };
  } catch (error) {
    return `did not make this signature of this payload (${reasonOf(error)})`;
  }
}

const [start, end] = ['-----BEGIN PGP SIGNATURE-----', '-----END PGP SIGNATURE-----'];

function isOneArmor(text: string): boolean {
  const ends = text.indexOf(end);
  return (
    text.startsWith(start) &&
    ends === text.lastIndexOf(end) &&
    text.lastIndexOf('-----BEGIN') === 0 &&
    text.slice(ends + end.length).trim() === ''
  );
}
