import { failuresOf } from '../../http/failures.ts';

/** How failures of a KMS are told. Passing beside the usual ones are Vault’s state that is behind, and standby nodes. */
export const failures = failuresOf({
  unavailable: 'KMS_UNAVAILABLE',
  refused: 'KMS_REFUSED',
  passing: [412, 472, 473],
});

export const { refusal, unusable, unanswered, unreadable, within } = failures;
