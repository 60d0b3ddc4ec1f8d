import { reasonOf } from '../errors.ts';
import type { SigstoreListener, SigstoreReport, SigstoreService } from '../model/sigstore.ts';

/** Does some work with a service, and reports whether it succeeded. Throws what the work throws. */
export async function reportOutcome<T>(
  onSigstore: SigstoreListener,
  service: SigstoreService,
  work: () => Promise<T>,
  detail: (result: T) => Pick<SigstoreReport, 'validUntil'> = () => ({}),
): Promise<T> {
  try {
    const result = await work();
    onSigstore({ service, error: undefined, ...detail(result) });
    return result;
  } catch (error) {
    onSigstore({ service, error: reasonOf(error) });
    throw error;
  }
}
