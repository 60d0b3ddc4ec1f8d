import type { SigstoreListener, SigstoreReport, SigstoreService } from '../model/sigstore.ts';
import type { Health } from '../telemetry/health.ts';
import type { Metrics } from '../telemetry/metrics.ts';

interface Seen {
  /** When it last answered. */
  readonly last: Date | undefined;
  /** The end of the certificate in use. */
  readonly validUntil: Date | undefined;
  /** Why it fails now, and how often it has failed since it last answered. */
  readonly failing: string | undefined;
  readonly failures: number;
}

const names: Readonly<Record<SigstoreService, string>> = {
  fulcio: 'Fulcio',
  log: 'transparency log',
  timestamp: 'timestamp server',
  tuf: 'TUF repository',
};

/** Shows in readiness and metrics when each service of Sigstore last answered. None of them makes the controller unready. */
export function followSigstore(health: Health, metrics: Metrics): SigstoreListener {
  const seen = new Map<SigstoreService, Seen>();
  return (report) => {
    metrics.sigstore(report);
    seen.set(report.service, after(seen.get(report.service), report));
    health.set(names[report.service], undefined, () => noteOf(seen.get(report.service)));
  };
}

function after(before: Seen | undefined, { error, validUntil }: SigstoreReport): Seen {
  return error === undefined
    ? { last: new Date(), validUntil: validUntil ?? before?.validUntil, failing: undefined, failures: 0 }
    : {
        last: before?.last,
        validUntil: before?.validUntil,
        failing: error,
        failures: (before?.failures ?? 0) + 1,
      };
}

function noteOf(seen: Seen | undefined): string | undefined {
  if (seen === undefined) return undefined;
  const { last, validUntil, failing, failures } = seen;
  return [
    last === undefined ? 'it has not answered yet' : `last answer ${last.toISOString()}`,
    ...(validUntil === undefined ? [] : [`the certificate ends ${validUntil.toISOString()}`]),
    ...(failing === undefined ? [] : [`failed ${failures} times since: ${failing}`]),
  ].join('; ');
}
