/** At most this many UTF-16 units of a run's text are shown in a message. */
const shown = 80;

/** A text from a run for a message: in quotes, cut where it is long, on one line, with everything invisible escaped. */
export function quote(text: string): string {
  const start = text.slice(0, shown).replace(/["\\\p{C}\p{Zl}\p{Zp}]/gu, escaped);
  return text.length > shown ? `"${start}…" (${text.length} characters)` : `"${start}"`;
}

function escaped(character: string): string {
  if (character === '"' || character === '\\') return `\\${character}`;
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
