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
