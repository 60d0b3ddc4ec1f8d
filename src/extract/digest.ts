import { quote } from '../text.ts';
import { trim } from '../tekton/white-space.ts';

/** A parsed digest (payloads.md, 2.2). */
export interface ParsedDigest {
  readonly algorithm: string;
  /** Lower-case. */
  readonly hex: string;
}

/** A parsed value, or what is wrong with the text, in words that follow its name. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly wrong: string };

const hexDigits = new Map([
  ['sha1', 40],
  ['sha256', 64],
  ['sha384', 96],
  ['sha512', 128],
]);

/** Parses `ALG:HEX`; white space around both is ignored, and ALG may be in upper case. */
export function parseDigest(text: string): Parsed<ParsedDigest> {
  const [before, after, ...more] = text.split(':', 3);
  if (before === undefined || after === undefined || more.length > 0) {
    return wrong(`is ${quote(text)}, which is not of the form sha256:HEX`);
  }
  const algorithm = trim(before).toLowerCase();
  const length = hexDigits.get(algorithm);
  if (length === undefined) {
    return wrong(`has the algorithm ${quote(algorithm)}; use ${[...hexDigits.keys()].join(', ')}`);
  }
  const hex = trim(after);
  if (isHex(hex, length)) return { ok: true, value: { algorithm, hex } };
  return wrong(
    `is ${quote(text)}; after ${algorithm}: there must be exactly ${length} lower-case hexadecimal digits`,
  );
}

/** Parses an image's digest: `sha256:` and 64 lower-case hex digits, with nothing around it. */
export function parseImageDigest(text: string): Parsed<string> {
  const prefix = 'sha256:';
  if (text.startsWith(prefix) && isHex(text.slice(prefix.length), 64)) return { ok: true, value: text };
  return wrong(`is ${quote(text)}; it must be sha256: and exactly 64 lower-case hexadecimal digits`);
}

function isHex(text: string, length: number): boolean {
  return text.length === length && /^[0-9a-f]+$/.test(text);
}

/** What is wrong with a text. */
export function wrong(words: string): Parsed<never> {
  return { ok: false, wrong: words };
}
