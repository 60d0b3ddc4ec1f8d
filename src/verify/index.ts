import { ChainsError } from '../errors.ts';
import type { VerificationKey } from './key.ts';
import { readPublicKey } from './public-key.ts';

export type { Verification, VerificationOptions } from './checks.ts';
export type { EvidenceOptions } from './evidence.ts';
export type { Check } from './judgement.ts';
export type { Expectations } from './expectations.ts';
export type { VerificationKey } from './key.ts';
export { readPublicKey } from './public-key.ts';
export { type VerifiedImage, verifyImage } from './image.ts';
export { verifyRun } from './run.ts';
export { type ExportedBundle, exportBundles } from './export.ts';
export { openReader, type StoresOptions, storesOf, type VerifiedSubject, verifyStores } from './stores.ts';
export type { GoneRun } from './gone.ts';
export { type Summary, summaryOf } from './summary.ts';

/** Reads the keys to verify with. @throws ChainsError KEY_INVALID when one can't be read, or there is none */
export async function readKeys(texts: readonly string[]): Promise<readonly VerificationKey[]> {
  if (texts.length === 0) throw new ChainsError('KEY_INVALID', 'there is no key to verify with');
  return Promise.all(texts.map(readPublicKey));
}
