/** A service of Sigstore. */
export type SigstoreService = 'fulcio' | 'log' | 'timestamp' | 'tuf';

/** How a request to one of them ended. */
export interface SigstoreReport {
  readonly service: SigstoreService;
  /** Why it failed; undefined when it succeeded. */
  readonly error: string | undefined;
  /** When the certificate that was issued expires. */
  readonly validUntil?: Date;
}

/** Receives the outcome of each request, for metrics and readiness. */
export type SigstoreListener = (report: SigstoreReport) => void;
