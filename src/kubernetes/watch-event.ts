import { ChainsError } from '../errors.ts';
import { at, isJsonObject, type JsonObject, member } from '../json.ts';
import { refusal } from './failures.ts';
import type { Line } from './lines.ts';

const types = ['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK'] as const;

/** One event of a watch. A BOOKMARK's object has nothing but a resourceVersion. */
export interface WatchEvent {
  readonly type: (typeof types)[number];
  readonly object: JsonObject;
  /** Length of the event in UTF-8. */
  readonly bytes: number;
}

/**
 * Reads one line of a watch.
 * @param what the call, for messages
 * @throws ChainsError of the status that an ERROR event carries; CLUSTER_UNAVAILABLE for what is not an event.
 */
export function parseWatchEvent(line: Line, what: string): WatchEvent {
  const event = parse(line.text);
  const object = member(event, 'object');
  if (member(event, 'type') === 'ERROR') throw watchError(what, object);
  const type = types.find((known) => known === member(event, 'type'));
  if (type === undefined || !isJsonObject(object)) {
    throw new ChainsError('CLUSTER_UNAVAILABLE', `${what}: the server sent something that is not an event`);
  }
  return { type, object, bytes: line.bytes };
}

/** A line that was cut off is as good as none: it is sent again when the watch is resumed. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function watchError(what: string, status: unknown): ChainsError {
  const code = at(status, 'code');
  return refusal(what, typeof code === 'number' ? code : 500, JSON.stringify(status ?? {}));
}
