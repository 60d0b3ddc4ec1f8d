import { ChainsError } from '../errors.ts';
import { at, isJsonObject, type JsonObject, member } from '../json.ts';
import { refusal } from './failures.ts';

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

/** A line that was cut off is ignored: it is sent again when the watch is resumed. */
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

/** One line of a stream, without its line end. */
export interface Line {
  readonly text: string;
  /** Its length in UTF-8. */
  readonly bytes: number;
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/**
 * Splits a stream of UTF-8 into lines (LF or CRLF); empty lines are left out, an unfinished last one is given as it is.
 * Chunks are searched once and joined once a line, so that a line of many chunks costs no more than its length.
 */
export async function* lines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Line, void> {
  let parts: Buffer[] = [];
  for await (const bytes of chunks) {
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let start = 0;
    for (let end = chunk.indexOf(lineFeed); end !== -1; end = chunk.indexOf(lineFeed, start)) {
      const line = finish(parts, chunk.subarray(start, end));
      parts = [];
      start = end + 1;
      if (line.bytes > 0) yield line;
    }
    if (start < chunk.length) parts.push(chunk.subarray(start));
  }
  const last = finish(parts, Buffer.alloc(0));
  if (last.bytes > 0) yield last;
}

function finish(parts: readonly Buffer[], end: Buffer): Line {
  const whole = parts.length === 0 ? end : Buffer.concat([...parts, end]);
  const line = whole.at(-1) === carriageReturn ? whole.subarray(0, -1) : whole;
  return { text: line.toString('utf8'), bytes: line.length };
}
