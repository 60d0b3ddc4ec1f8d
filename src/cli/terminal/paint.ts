import { styleText } from 'node:util';

/** Colours for text that is laid out already: they change no letter, blank or break of it. */
export interface Paint {
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly dim: (text: string) => string;
}

const same = (text: string) => text;

/** No colour. */
export const plain: Paint = { good: same, bad: same, dim: same };

/** The colours for a stream: none unless it is a terminal that has some; `NO_COLOR`, `FORCE_COLOR` and `TERM` are heard. */
export function paintFor(stream: NodeJS.WritableStream): Paint {
  const paint = (style: Parameters<typeof styleText>[0]) => (text: string) =>
    text === '' ? '' : styleText(style, text, { stream });
  return { good: paint('green'), bad: paint('red'), dim: paint('dim') };
}
