import { failuresOf } from '../../http/failures.ts';
import { openService, type Service, words } from '../../http/service.ts';
import { at } from '../../json.ts';

/** How failures of Fulcio and of providers of identity tokens are reported. */
export const failures = failuresOf({
  unavailable: 'FULCIO_UNAVAILABLE',
  refused: 'FULCIO_REFUSED',
  temporary: [],
});

/** Milliseconds for one answer. */
export const timeout = 20_000;

/** Opens connections to Fulcio and to providers of identity tokens. Of an error only the message is read, so that no token is shown. */
export function openFulcioService(): Service {
  return openService({
    failures,
    timeout,
    longestAnswer: 256 * 1024,
    reasonIn: ({ body }) => words([at(body, 'message') ?? at(body, 'error')]),
  });
}
