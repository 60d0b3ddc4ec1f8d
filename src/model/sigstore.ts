import { reasonOf } from '../errors.ts';

/** A service that proves signatures. */
export type SigstoreService = 'fulcio' | 'log' | 'timestamp' | 'tuf';

/** How asking one of them ended. */
export interface SigstoreNews {
  readonly service: SigstoreService;
  /** Why it failed; undefined when all is well. */
  readonly error: string | undefined;
  /** The end of the certificate that came. */
  readonly validUntil?: Date;
}

/** Hears how asking went; for metrics and readiness. */
export type HearSigstore = (news: SigstoreNews) => void;

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
