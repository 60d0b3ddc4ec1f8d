import { styleText } from 'node:util';
import { visible } from '../../text.ts';

/** The widest line that is printed, so that text reads well in any terminal and in a review. */
export const width = 100;

/** Colours for text that is laid out already: they add no letter, blank or line break. */
export interface Paint {
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly dim: (text: string) => string;
}

const unchanged = (text: string) => text;

/** No colour. */
export const plain: Paint = { good: unchanged, bad: unchanged, dim: unchanged };

/** The colours for a stream: only for a terminal that has them; follows `NO_COLOR`, `FORCE_COLOR` and `TERM`. */
export function paintFor(stream: NodeJS.WritableStream): Paint {
  const paint = (style: Parameters<typeof styleText>[0]) => (text: string) =>
    text === '' ? '' : styleText(style, text, { stream });
  return { good: paint('green'), bad: paint('red'), dim: paint('dim') };
}

/**
 * Breaks a text at blanks into lines of at most 100 columns, all but the first indented. A longer word is broken, before an
 * `@` if it has one. Only the text after `first` is painted.
 */
export function wrap(first: string, text: string, indent = first.length, paint = unchanged): string {
  const lines = [first];
  const words = visible(text).split(' ');
  for (const word of words.flatMap((one) => pieces(one, width - indent))) {
    const line = lines.at(-1) ?? '';
    const isStart = line === first || line === ' '.repeat(indent);
    const isFull = line.length + (isStart ? 0 : 1) + word.length > width;
    if (isFull && !(isStart && line !== first)) lines.push(' '.repeat(indent) + word);
    else lines[lines.length - 1] = isStart ? line + word : `${line} ${word}`;
  }
  return lines
    .map((line, index) => {
      const start = index === 0 ? first.length : indent;
      return line.slice(0, start) + paint(line.slice(start));
    })
    .join('\n');
}

function pieces(word: string, longest: number): readonly string[] {
  if (word.length <= longest) return [word];
  const at = word.lastIndexOf('@', longest);
  const end = at > 0 ? at : longest;
  return [word.slice(0, end), ...pieces(word.slice(end), longest)];
}
