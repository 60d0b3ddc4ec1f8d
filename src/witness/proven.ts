import { X509Certificate } from 'node:crypto';
import { ChainsError, reasonOf } from '../errors.ts';
import type { Signature } from '../model/signature.ts';

/**
 * Proves what a service answered about a signature.
 * @param prove gives the moment that the answer vouches for, where it does
 * @throws ChainsError EVIDENCE_INVALID where it does not hold, or is of a moment at which the certificate was not valid
 */
export function proven(url: string, { certificate }: Signature, prove: () => Date | undefined): void {
  try {
    const moment = prove();
    if (certificate === undefined || moment === undefined) return;
    const { validFromDate, validToDate } = new X509Certificate(certificate);
    if (moment >= validFromDate && moment <= validToDate) return;
    const valid = `${validFromDate.toISOString()} to ${validToDate.toISOString()}`;
    throw new Error(`it is of ${moment.toISOString()}, when the certificate was not valid (${valid})`);
  } catch (error) {
    throw new ChainsError('EVIDENCE_INVALID', `${url} answered what does not hold: ${reasonOf(error)}`);
  }
}
