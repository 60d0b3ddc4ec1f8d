import { reasonOf } from '../errors.ts';
import type { HearSigstore, SigstoreNews, SigstoreService } from '../model/sigstore.ts';

/** Does some work with a service, and reports whether it succeeded. Throws what the work throws. */
export async function reportOutcome<T>(
  hear: HearSigstore,
  service: SigstoreService,
  work: () => Promise<T>,
  detail: (result: T) => Pick<SigstoreNews, 'validUntil'> = () => ({}),
): Promise<T> {
  try {
    const result = await work();
    hear({ service, error: undefined, ...detail(result) });
    return result;
  } catch (error) {
    hear({ service, error: reasonOf(error) });
    throw error;
  }
}
