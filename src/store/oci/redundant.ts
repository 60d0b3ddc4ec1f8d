import { X509Certificate } from 'node:crypto';
import type { Envelope } from '../../keys/dsse.ts';
import { includesSignatureOf } from '../../keys/signed-by.ts';
import type { Payload, SignedArtifact } from '../../model/signature.ts';

/** What a registry keeps with a signature that it has already. */
export interface StoredProof {
  /** PEM. */
  readonly certificate?: string | undefined;
  /** Whether evidence of a log or of a timestamp is there. */
  readonly isConfirmed: boolean;
}

/**
 * Whether stored signatures make this entry redundant: one is by the same key, or by another short-lived key of the same
 * identity, and it has evidence where this one does.
 */
export async function isRedundant(
  entry: SignedArtifact,
  signatures: readonly Uint8Array[],
  { certificate, isConfirmed }: StoredProof,
): Promise<boolean> {
  if (entry.transparency !== undefined && !isConfirmed) return false;
  if (await includesSignatureOf(entry, signatures)) return true;
  const { signature } = entry;
  if (signature.certificate === undefined || certificate === undefined) return false;
  const { isOfSameIdentity } = await import('../../sigstore/proof.ts');
  if (!isOfSameIdentity(signature, certificate)) return false;
  const publicKey = new X509Certificate(certificate).publicKey
    .export({ format: 'pem', type: 'spki' })
    .toString();
  const key = { ...signature.key, publicKey };
  return includesSignatureOf({ ...entry, signature: { ...signature, key } }, signatures);
}

/** {@link isRedundant} for the signatures of a stored envelope, which must hold this entry's payload. */
export async function isRedundantTo(
  envelope: Envelope | undefined,
  entry: SignedArtifact,
  proof: StoredProof,
): Promise<boolean> {
  const { bytes, dsseType } = entry.payload;
  if (envelope === undefined || envelope.payloadType !== dsseType) return false;
  if (!Buffer.from(envelope.payload, 'base64').equals(bytes)) return false;
  const signatures = envelope.signatures.map(({ sig }) => Buffer.from(sig, 'base64'));
  return isRedundant(entry, signatures, proof);
}

/** What an envelope or bundle may hold in addition to the payload: signatures, certificates, log entries. In bytes. */
const mostAdded = 64 * 1024;

/** Whether content of this size can hold the payload in base64; other content need not be read. */
export function mayHold(size: number, { bytes }: Payload): boolean {
  const least = (bytes.length / 3) * 4;
  return size >= least && size <= least + mostAdded;
}
