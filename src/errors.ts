import { oneLine } from './text.ts';

/** Longest message of an error, in characters; that of a configuration may list many faults. */
const longestMessage = 4_000;

/**
 * Every error code: what it means, what to do, and whether trying again can help.
 * `docs/troubleshooting.md` shows this table; a test keeps the two equal.
 */
export const errorCodes = {
  CONFIG_INVALID: {
    terminal: true,
    meaning: 'A value in `chains-config` is not allowed. The last good configuration stays in force.',
    remedy: 'Correct every key that the message names; `docs/config.md` lists what is allowed.',
  },
  CONNECTION_INVALID: {
    terminal: true,
    meaning: "The kubeconfig, or the pod's service account, does not say how to reach the cluster.",
    remedy: 'Correct the file and field that the message names.',
  },
  CLUSTER_REFUSED: {
    terminal: true,
    meaning: 'The API server understood the request and refused it.',
    remedy: "Read the server's reason in the message; for 403, compare the account's role with `deploy/`.",
  },
  CLUSTER_UNAVAILABLE: {
    terminal: false,
    meaning: 'The API server did not answer, answered 429 or 5xx, or the connection broke.',
    remedy: 'Nothing: it is tried again. If it lasts, look at the API server.',
  },
  CLUSTER_CONFLICT: {
    terminal: false,
    meaning: 'The object changed, or was deleted, between being read and being written.',
    remedy: 'Nothing: it is tried again with the newer object.',
  },
  INSTALLATION_UNFINISHED: {
    terminal: false,
    meaning: 'A step of `chains install` or `chains uninstall` did not come to its end in time.',
    remedy: 'Do what the hint says, then run the same command again: it goes on where it stopped.',
  },
  KEY_INVALID: {
    terminal: false,
    meaning: 'The signing key is missing, unreadable or of a kind that the signer does not take.',
    remedy:
      'Correct the Secret `signing-secrets`; the message names the file and the command that converts it.',
  },
  KMS_REFUSED: {
    terminal: false,
    meaning:
      "The KMS doesn't let us sign, or the settings don't say how: no credential, no permission, or a key that is missing, disabled or of a kind that isn't taken.",
    remedy:
      "Correct what the message names: `signers.kms.*`, the credential, or the key's state and permissions. It is tried again meanwhile.",
  },
  KMS_UNAVAILABLE: {
    terminal: false,
    meaning:
      'The KMS did not answer in time, is sealed or overloaded, answered 5xx, or its answer was damaged.',
    remedy: 'Nothing: it is tried again. If it lasts, look at the KMS and the way to it.',
  },
  EVIDENCE_INVALID: {
    terminal: false,
    meaning:
      'What Fulcio, the transparency log or the timestamp server answered does not verify: another key, another entry, or a time outside the certificate. Nothing was stored.',
    remedy:
      'Compare the trusted root with the service that the message names. If they belong together, do not trust the service. It is tried again.',
  },
  FULCIO_REFUSED: {
    terminal: false,
    meaning:
      'There is no identity token, or Fulcio refused it: it has expired, or its issuer or audience is not accepted.',
    remedy:
      'Correct what the message names: `signers.x509.fulcio.*`, the token, or the issuers that Fulcio accepts. It is tried again.',
  },
  FULCIO_UNAVAILABLE: {
    terminal: false,
    meaning: 'Fulcio, or the provider of the identity token, did not answer in time, or answered 429 or 5xx.',
    remedy: 'Nothing: it is tried again. If it lasts, look at Fulcio and the way to it.',
  },
  LOG_ENTRY_UNREADABLE: {
    terminal: false,
    meaning:
      'The transparency log already has the signature, but its entry cannot be read, so that nothing proves it.',
    remedy:
      'Have the log serve its tiles at `<transparency.url>/api/v2/`. Keys whose signatures differ each time need nothing: they sign again.',
  },
  PAYLOAD_TOO_LARGE: {
    terminal: true,
    meaning:
      "What is to be stored does not fit: Kubernetes caps an object's annotations at 256 KiB, other stores have limits of their own.",
    remedy: 'Choose another store for the artifact that the message names.',
  },
  RUN_UNREADABLE: {
    terminal: true,
    meaning: 'A field of the run is missing or has the wrong type, so that no payload can be made from it.',
    remedy: 'Look at the field that the message names, and at what wrote it.',
  },
  SIGNATURE_INVALID: {
    terminal: false,
    meaning: 'A signature does not verify under the key it was made with or checked against.',
    remedy:
      'When signing: look at the key or KMS. When verifying: the payload, signature or key is not the right one.',
  },
  STORE_REFUSED: {
    terminal: false,
    meaning:
      'The store understood the request and refused it: no credential, no permission, or no such place.',
    remedy:
      'Correct what the message names: the `storage.*` keys, the credential or its permissions. It is tried again meanwhile.',
  },
  STORE_UNAVAILABLE: {
    terminal: false,
    meaning: 'The store did not answer in time, is overloaded, answered 5xx, or the connection broke.',
    remedy: 'Nothing: it is tried again. If it lasts, look at the store and the way to it.',
  },
  TRUSTED_ROOT_INVALID: {
    terminal: false,
    meaning:
      "The trusted root can't be read or fetched from the TUF repository, or has no key for a service that is used.",
    remedy:
      'Correct `trusted_root.json` or `tuf-root.json` in the Secret `signing-secrets`, or `signers.x509.tuf.mirror.url`. It is tried again.',
  },
  TRY_ENDED: {
    terminal: false,
    meaning:
      'A try to sign a run took longer than `limits.try-timeout`, or was the longest of a namespace that left too few workers to others.',
    remedy:
      'Look at what the run waits for: its registry, store or KMS. It is tried again. Where slow is normal, raise `limits.try-timeout`.',
  },
  WITNESS_REFUSED: {
    terminal: false,
    meaning: 'The transparency log or the timestamp server understood the request and refused it.',
    remedy:
      "Read the server's reason in the message; correct `transparency.*`, or choose a key and format that the log takes. It is tried again.",
  },
  WITNESS_UNAVAILABLE: {
    terminal: false,
    meaning: 'The transparency log or the timestamp server did not answer in time, or answered 429 or 5xx.',
    remedy:
      'Nothing: it is tried again with the same signature. If it lasts, look at the server and the way to it.',
  },
  UNEXPECTED: {
    terminal: false,
    meaning: 'Something failed in an unknown way.',
    remedy: 'It is tried again. If it lasts, report the message as a bug.',
  },
  USAGE: {
    terminal: true,
    meaning: 'A command was called with wrong arguments or input.',
    remedy: 'Read the message; `chains COMMAND --help` shows what the command takes.',
  },
} as const satisfies Record<string, { terminal: boolean; meaning: string; remedy: string }>;

/** A code of {@link errorCodes}. */
export type ErrorCode = keyof typeof errorCodes;

/** What an error can have in addition to its code and message. */
export interface ErrorDetails {
  readonly cause?: unknown;
  /** What to do about it, when the message alone doesn't say; printed as a second line. */
  readonly hint?: string;
  /** How long to wait before another try, in milliseconds (`Retry-After`). */
  readonly retryAfter?: number;
  /** HTTP status, where a server answered. */
  readonly status?: number;
}

/**
 * The only error class. A message is one line of limited length that says what is wrong, without secrets, tokens or keys.
 * An error that is not `terminal` may be temporary, so the run is tried again.
 */
export class ChainsError extends Error {
  readonly code: ErrorCode;
  readonly terminal: boolean;
  readonly hint: string | undefined;
  readonly retryAfter: number | undefined;
  readonly status: number | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(
      oneLine(message, longestMessage),
      details.cause === undefined ? undefined : { cause: details.cause },
    );
    this.name = 'ChainsError';
    this.code = code;
    this.terminal = errorCodes[code].terminal;
    this.hint = details.hint === undefined ? undefined : oneLine(details.hint);
    this.retryAfter = details.retryAfter;
    this.status = details.status;
  }
}

/** The text of anything that was thrown, on one line of limited length, with invisible characters escaped. */
export function reasonOf(error: unknown): string {
  const text =
    error instanceof AggregateError && error.errors.length > 0
      ? error.errors.map(reasonOf).join('; ')
      : error instanceof Error
        ? error.message || error.name
        : String(error);
  return oneLine(text, longestMessage);
}

/** What the work resolves to, or why it failed. An unknown error is UNEXPECTED, which may be temporary. */
export async function caught<T>(work: () => Promise<T>): Promise<T | ChainsError> {
  try {
    return await work();
  } catch (error) {
    return error instanceof ChainsError
      ? error
      : new ChainsError('UNEXPECTED', reasonOf(error), { cause: error });
  }
}
