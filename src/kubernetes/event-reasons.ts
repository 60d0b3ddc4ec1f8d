/**
 * Every reason of an Event that the controller writes: what it is about, what it says, and what to do.
 * `docs/troubleshooting.md` shows this table; a test keeps the two equal.
 */
export const eventReasons = {
  Signed: {
    about: 'run',
    type: 'Normal',
    meaning:
      'The run is signed; the message says where its payloads and signatures are, unless in its annotations alone.',
    remedy: 'Nothing. `events.signed` says when it is written.',
  },
  SigningFailed: {
    about: 'run',
    type: 'Warning',
    meaning: "The run is marked `failed`: trying again can't help, or `signing.retry-deadline` has passed.",
    remedy: 'The message says why, what to fix, and the commands that have it tried again.',
  },
  Waiting: {
    about: 'run',
    type: 'Normal',
    meaning:
      'A PipelineRun has been done for two minutes while TaskRuns of it, which the message names, are not signed.',
    remedy: 'Look at those TaskRuns: `chains explain taskrun/NAME` says why.',
  },
  Held: {
    about: 'run',
    type: 'Normal',
    meaning:
      'A run is being deleted while at work, and our finalizer holds it, so that it can be signed when it finishes.',
    remedy: 'Nothing: it goes when it is signed, or when `signing.deletion-grace` has passed.',
  },
  NotSigned: {
    about: 'run',
    type: 'Warning',
    meaning:
      "A run was let go unsigned: it was deleted and didn't finish, or couldn't be read, before its grace ended.",
    remedy: 'Where runs need longer, raise `signing.deletion-grace`.',
  },
  NotMarked: {
    about: 'run',
    type: 'Warning',
    meaning:
      "The API server lets the controller write nothing on the run, so that it can't be marked as signed.",
    remedy:
      "The message has the server's reason; it is tried again. `deploy/base/access.yaml` has the rights it needs.",
  },
  Unreadable: {
    about: 'run',
    type: 'Warning',
    meaning: "A field of the run's status has the wrong type, so that it is unknown whether the run is done.",
    remedy: 'Look at the field that the message names, and at what wrote it.',
  },
  Skipped: {
    about: 'run',
    type: 'Normal',
    meaning:
      'A run is done and is not signed on purpose: another program manages it (`spec.managedBy`), or all of it is turned off.',
    remedy: 'Nothing. `events.skipped` turns it on, and is off unless set.',
  },
  InvalidConfiguration: {
    about: 'ConfigMap',
    type: 'Warning',
    meaning: 'A value in `chains-config` is not allowed. The last good configuration stays in force.',
    remedy: 'Correct every key that the message names.',
  },
  UnverifiedAnswers: {
    about: 'ConfigMap',
    type: 'Warning',
    meaning:
      'No trusted root covers a service of Sigstore, whose answers are therefore not verified, or a TUF repository was trusted on first use.',
    remedy:
      'Put `trusted_root.json`, or `tuf-root.json` for the repository, into the Secret `signing-secrets`.',
  },
  WeakConfiguration: {
    about: 'ConfigMap',
    type: 'Warning',
    meaning: 'A setting in `chains-config` works, but not as far as its author may think.',
    remedy: 'The message says what is missing.',
  },
  UnknownKey: {
    about: 'ConfigMap',
    type: 'Warning',
    meaning: 'A key in `chains-config` is not known, and is ignored.',
    remedy: 'Correct its name; the message says which key is nearest.',
  },
} as const satisfies Record<
  string,
  { about: 'run' | 'ConfigMap'; type: 'Normal' | 'Warning'; meaning: string; remedy: string }
>;

/** A reason of {@link eventReasons}. */
export type EventReason = keyof typeof eventReasons;
