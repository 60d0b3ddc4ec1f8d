import { TextDecoder } from 'node:util';

/** A password file's content without the one line end that editors and `echo` put behind it (behaviour.md, “Signers”). */
export function withoutLineEnd(file: Uint8Array): Uint8Array {
  if (file.at(-1) !== 0x0a) return file;
  return file.subarray(0, file.at(-2) === 0x0d ? -2 : -1);
}

/** The text of a file; undefined when it isn't UTF-8. */
export function utf8(file: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(file);
  } catch {
    return undefined;
  }
}
