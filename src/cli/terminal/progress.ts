import { visible } from '../../text.ts';

/** Where progress is shown, if it is a terminal. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const toStartAndErase = '\r\u001b[K';

/**
 * Shows a text on a terminal while work is going on, with the seconds when it takes long, in one line that is rewritten in
 * place and erased when the work ends or fails. In a pipe nothing is shown.
 */
export async function showing<T>(
  text: string,
  work: () => Promise<T>,
  stream: ProgressStream = process.stderr,
): Promise<T> {
  if (stream.isTTY !== true || process.env['TERM'] === 'dumb') return work();
  const began = Date.now();
  const draw = () => {
    const seconds = Math.floor((Date.now() - began) / 1000);
    const line = `${visible(text)}… ${seconds > 0 ? `${seconds} s` : ''}`.trimEnd();
    // A terminal that doesn't know its width reports 0.
    stream.write(`${toStartAndErase}${line.slice(0, (stream.columns || 80) - 1)}`);
  };
  draw();
  const redrawn = setInterval(draw, 1000).unref();
  try {
    return await work();
  } finally {
    clearInterval(redrawn);
    stream.write(toStartAndErase);
  }
}

/** `signing 3 of 20: run.yaml`; without the numbers where there is only one. */
export function step(what: string, index: number, of: readonly unknown[], name: string): string {
  return of.length > 1 ? `${what} ${index + 1} of ${of.length}: ${name}` : `${what} ${name}`;
}
