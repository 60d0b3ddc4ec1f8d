import { X509Certificate } from 'node:crypto';
import { includesSignatureOf } from '../keys/signed-by.ts';
import type { SignedArtifact } from '../model/signature.ts';

/** What a store keeps with a signature that it has already. */
export interface KeptBeside {
  /** PEM. */
  readonly certificate?: string | undefined;
  /** Whether evidence of a log or of a timestamp is there. */
  readonly isConfirmed: boolean;
}

/**
 * Whether signatures that are there make this entry needless: one is by the same key, or by another short-lived key of the same
 * identity, and it has evidence where this one does.
 */
export async function makesNeedless(
  entry: SignedArtifact,
  signatures: readonly Uint8Array[],
  { certificate, isConfirmed }: KeptBeside,
): Promise<boolean> {
  if (entry.transparency !== undefined && !isConfirmed) return false;
  if (await includesSignatureOf(entry, signatures)) return true;
  const { signature } = entry;
  if (signature.certificate === undefined || certificate === undefined) return false;
  const { isOfSameIdentity } = await import('../sigstore/proof.ts');
  if (!isOfSameIdentity(signature, certificate)) return false;
  const publicKey = new X509Certificate(certificate).publicKey
    .export({ format: 'pem', type: 'spki' })
    .toString();
  const key = { ...signature.key, publicKey };
  return includesSignatureOf({ ...entry, signature: { ...signature, key } }, signatures);
}
