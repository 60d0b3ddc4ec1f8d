/** Characters that are invisible or change how other text is shown: controls, terminal escapes, bidi controls, zero width. */
const invisible = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** A text for people, with each invisible character written as `\u{…}`. */
export function visible(text: string): string {
  return text.replace(invisible, escaped);
}

/** One character as `\u{…}`. */
function escaped(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

/** A text from outside for annotations, Events, logs and messages: visible, on one line, at most `longest` characters. */
export function oneLine(text: string, longest = 1_000): string {
  // Text that is cut off anyway is not processed.
  const start = text.slice(0, 4 * longest);
  const line = visible(start.replace(/[\t-\r\u0085\p{Z}]+/gu, ' ')).trim();
  return line.length > longest || start.length < text.length
    ? `${line.slice(0, longest).toWellFormed()}…`
    : line;
}

/** A text without the `ending`s at its end. A pattern such as `/x+$/` takes quadratic time on long runs inside the text. */
export function withoutTrailing(text: string, ending: string): string {
  let end = text.length;
  while (end > 0 && text.endsWith(ending, end)) end -= ending.length;
  return text.slice(0, end);
}

/** The bytes of padded standard base64; undefined for any other text. */
export function strictBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

/** How many UTF-16 units of a run's text a message shows. */
const shown = 80;

/** A text from a run for a message: quoted, shortened, on one line, with invisible characters escaped. */
export function quote(text: string): string {
  const start = visible(text.slice(0, shown).replace(/["\\]/g, '\\$&'));
  return text.length > shown ? `"${start}…" (${text.length} characters)` : `"${start}"`;
}
