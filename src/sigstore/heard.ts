import { reasonOf } from '../errors.ts';
import type { HearSigstore, SigstoreNews, SigstoreService } from '../model/sigstore.ts';

/** Works, and reports how that went. Throws what the work throws. */
export async function heard<T>(
  hear: HearSigstore,
  service: SigstoreService,
  work: () => Promise<T>,
  detail: (done: T) => Pick<SigstoreNews, 'validUntil'> = () => ({}),
): Promise<T> {
  try {
    const done = await work();
    hear({ service, error: undefined, ...detail(done) });
    return done;
  } catch (error) {
    hear({ service, error: reasonOf(error) });
    throw error;
  }
}
