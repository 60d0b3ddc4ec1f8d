import { failuresOf } from '../../http/failures.ts';
import { type ServiceAnswer, openService, type Service, type ServiceTls, words } from '../../http/service.ts';
import type { Json } from '../../json.ts';

/** Larger than any answer of a KMS. In bytes. */
export const longestAnswer = 1024 * 1024;

/**
 * Opens connections to a KMS. A call takes as long as its signal lets it.
 * @param reasonIn finds the service's own words in the body of an answer to a call that failed
 */
export function openConnections(
  reasonIn: (body: Json | undefined) => readonly (Json | undefined)[],
  tls: ServiceTls = {},
): Service {
  return openService({ failures, tls, longestAnswer, reasonIn: ({ body }) => words(reasonIn(body)) });
}

/** The JSON of an answer. @throws ChainsError KMS_UNAVAILABLE when there is none */
export function jsonIn(what: string, { body }: ServiceAnswer): Json {
  if (body === undefined) throw unreadable(what, 'no JSON');
  return body;
}

/** How failures of a KMS are reported. Besides the usual statuses, those of a Vault that is behind or on standby may pass. */
export const failures = failuresOf({
  unavailable: 'KMS_UNAVAILABLE',
  refused: 'KMS_REFUSED',
  passing: [412, 472, 473],
});

export const { refusal, unusable, unanswered, unreadable, within } = failures;
