import type { Envelope } from '../../keys/dsse.ts';
import type { Payload, SignedArtifact } from '../../model/signature.ts';
import { type KeptBeside, makesNeedless } from '../same-signature.ts';

/** What an envelope or bundle has besides the payload: signatures, certificates, log entries. In bytes. */
const besidePayload = 64 * 1024;

/** Whether something of this size can hold the payload in base64, so that what is much longer, or shorter, need not be read. */
export function mayHold(size: number, { bytes }: Payload): boolean {
  const least = (bytes.length / 3) * 4;
  return size >= least && size <= least + besidePayload;
}

/** Whether an envelope holds this entry's payload, signed by the same key or identity. */
export async function holdsSame(
  envelope: Envelope | undefined,
  entry: SignedArtifact,
  beside: KeptBeside,
): Promise<boolean> {
  const { bytes, dsseType } = entry.payload;
  if (envelope === undefined || envelope.payloadType !== dsseType) return false;
  if (!Buffer.from(envelope.payload, 'base64').equals(bytes)) return false;
  const signatures = envelope.signatures.map(({ sig }) => Buffer.from(sig, 'base64'));
  return makesNeedless(entry, signatures, beside);
}
