import { X509Certificate } from 'node:crypto';
import { namedIn } from './proof.ts';

/** A certificate, with what is above it; PEM. */
export interface Chained {
  readonly certificate?: string | undefined;
  readonly chain?: string | undefined;
}

/** Whether another certificate names the same identity, and the authority that issued ours issued that one too. */
export function isOfSameIdentity({ certificate = '', chain = '' }: Chained, other: string): boolean {
  try {
    const [ours, theirs, authority] = [certificate, other, chain].map((pem) => new X509Certificate(pem));
    if (ours === undefined || theirs === undefined || authority === undefined) return false;
    const [own, claimed] = [namedIn(ours.raw), namedIn(theirs.raw)];
    return (
      own.subject === claimed.subject &&
      own.issuer === claimed.issuer &&
      theirs.checkIssued(authority) &&
      theirs.verify(authority.publicKey)
    );
  } catch {
    // Somebody else's, that can't be read: it is not ours.
    return false;
  }
}
