/** The widest line that is printed, so that text reads well in any terminal and in a review. */
const width = 100;

/** A text as it may go to a terminal: what would move the cursor, colour or hide something is shown as U+FFFD. */
export function visible(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '\ufffd');
}

/** Breaks a text at blanks into lines of at most 100 columns, all but the first indented; a word that is longer stays whole. */
export function wrap(first: string, text: string, indent = first.length): string {
  const lines = [first];
  for (const word of visible(text).split(' ')) {
    const line = lines.at(-1) ?? '';
    const isStart = line === first || line === ' '.repeat(indent);
    if (!isStart && line.length + 1 + word.length > width) lines.push(' '.repeat(indent) + word);
    else lines[lines.length - 1] = isStart ? line + word : `${line} ${word}`;
  }
  return lines.join('\n');
}
