/** The maximum of bytes of all answers that are being read at once; one that would exceed it fails, and is tried again later. */
const budget = 96 * 1024 * 1024;
let inFlight = 0;

/** An answer that is being read. */
export interface Readable {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: AsyncIterable<Uint8Array> & { destroy(error?: Error): unknown; dump(): Promise<void> };
}

/**
 * Reads a body to its end. @param longest in bytes; `none` for HEAD, whose headers describe a body that doesn't come
 * @throws Error when it is longer, or announced as longer, or when all answers that are being read are too long together
 */
export async function readBody({ headers, body }: Readable, longest: number | 'none'): Promise<Uint8Array> {
  if (longest === 'none') {
    await body.dump();
    return new Uint8Array();
  }
  const tooLong = () => new Error(`the answer is longer than ${longest} bytes`);
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    if (Number([headers['content-length']].flat()[0] ?? 0) > longest) throw tooLong();
    for await (const chunk of body) {
      length += chunk.length;
      inFlight += chunk.length;
      if (length > longest) throw tooLong();
      if (inFlight > budget)
        throw new Error(`the answers being read are longer than ${budget} bytes together`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks, length);
  } catch (error) {
    body.destroy();
    throw error;
  } finally {
    inFlight -= length;
  }
}
