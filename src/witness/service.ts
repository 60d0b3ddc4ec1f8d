import { failuresOf } from '../http/failures.ts';
import { openService, type Service, words } from '../http/service.ts';
import { at } from '../json.ts';

/** How failures of logs and timestamp servers are reported. */
export const failures = failuresOf({
  unavailable: 'WITNESS_UNAVAILABLE',
  refused: 'WITNESS_REFUSED',
  passing: [],
});

/** Milliseconds for one answer: a log of version 2 waits for its next checkpoint before it answers. */
const patience = 30_000;
/** Of an answer, in bytes. */
const longestAnswer = 4 * 1024 * 1024;
/** Each upload to a log of version 2 waits a second or more, however many there are. */
const connections = 64;

/** Opens connections to a log or a timestamp server. */
export function openWitnessService(timeout = patience): Service {
  return openService({
    failures,
    timeout,
    longestAnswer,
    connections,
    reasonIn: ({ body, bytes }) =>
      words([at(body, 'message')]) || Buffer.from(bytes.subarray(0, 300)).toString('utf8'),
  });
}
