import { oneLine } from '../text.ts';

/** Patterns of secrets, and what replaces them. */
const secrets: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z0-9 ]*PRIVATE KEY( BLOCK)?-----[^]*?(-----END [A-Z0-9 ]*-----|$)/g, '[private key]'],
  [/\b(Bearer|Basic) +[\w.~+/=-]+/gi, '$1 [redacted]'],
  [/\b([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/]*@/gi, '$1…@'],
  [/([?&][\w-]*(?:token|password|secret|signature|key)=)[^&\s]+/gi, '$1[redacted]'],
];

/** A text for a log or a health line: one line, visible, no secrets of a known form, at most `limit` long. */
export function plainText(text: string, limit = 2_000): string {
  // Text that is cut off anyway is not searched; a private key is found without its end too.
  const start = text.slice(0, 4 * limit);
  const clean = secrets.reduce((line, [pattern, instead]) => line.replace(pattern, instead), start);
  return oneLine(text.length > start.length ? `${clean}…` : clean, limit);
}
