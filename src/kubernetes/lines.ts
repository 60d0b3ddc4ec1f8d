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
