/** Go's white space (`unicode.IsSpace`; payloads.md, 1.4): unlike JavaScript's, it has U+0085 and not U+FEFF. */
const blanks = new Set(
  '\t\n\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000',
);

/** The text without Go's white space at both ends. */
export function trim(text: string): string {
  // A loop, since a pattern such as /\s+$/ takes quadratic time on long runs of blanks inside the text.
  let start = 0;
  let end = text.length;
  while (start < end && blanks.has(text.charAt(start))) start++;
  while (end > start && blanks.has(text.charAt(end - 1))) end--;
  return text.slice(start, end);
}
