import { createPrivateKey } from 'node:crypto';
import * as openpgp from 'openpgp';

/** Long enough to be no accident, short enough that no useful part of a secret gets by. */
const window = 12;

/**
 * What may be found where a secret got out: pieces of its spellings, but none that its public half has too.
 * @param publicHalves whole files
 */
export function tracesOf(secret: Uint8Array, publicHalves: readonly Uint8Array[]): ReadonlySet<string> {
  const known = publicHalves.flatMap(spellings).join('\n');
  return new Set(
    spellings(secret)
      .flatMap(pieces)
      .filter((piece) => !known.includes(piece)),
  );
}

/** Text, lines and bytes as they are, in base64 at each of its three alignments, in base64url and hex, and escaped as in JSON. */
function spellings(secret: Uint8Array): readonly string[] {
  const text = Buffer.from(secret).toString('latin1');
  // The lines around a PEM block are no secret, and belong into messages.
  const bare = text.replace(/-----(BEGIN|END) [A-Z ]+-----/g, '');
  const result = [bare, JSON.stringify(bare).slice(1, -1), ...bare.split(/\r?\n/)];
  // Bytes that happen to have some characters of base64 among them are not base64, and those few would be found anywhere.
  const isBase64 = /^[\w+/=\s-]*$/.test(bare);
  const decoded = isBase64 ? [Buffer.from(bare.replace(/\s/g, ''), 'base64')] : [];
  for (const bytes of [Buffer.from(secret), Buffer.from(bare, 'latin1'), ...decoded]) {
    const hex = bytes.toString('hex');
    result.push(hex, hex.toUpperCase(), hex.replace(/(..)(?!$)/g, '$1:'), hex.replace(/(..)(?!$)/g, '$1 '));
    for (const skipped of [0, 1, 2]) {
      result.push(bytes.subarray(skipped).toString('base64'), bytes.subarray(skipped).toString('base64url'));
    }
  }
  return result;
}

/** Aligned pieces, so that twice their length of a secret can't be anywhere without one of them. A short secret is one piece. */
function pieces(spelling: string): readonly string[] {
  const trimmed = spelling.trim();
  if (trimmed.length < window) return trimmed.length >= 6 ? [trimmed] : [];
  return Array.from({ length: Math.floor(trimmed.length / window) }, (_, index) =>
    trimmed.slice(index * window, (index + 1) * window),
  ).filter((piece) => piece.trim() !== '');
}

/** The traces that are in a text. */
export function found(traces: ReadonlySet<string>, text: string): readonly string[] {
  const result = new Set([...traces].filter((trace) => trace.length < window && text.includes(trace)));
  // One way through a large text, instead of one for each of thousands of traces.
  for (let index = 0; index + window <= text.length; index++) {
    const piece = text.slice(index, index + window);
    if (traces.has(piece)) result.add(piece);
  }
  return [...result];
}

/** The secret numbers inside a PKCS#8 key. */
export function numbersOfPkcs8(pem: string): readonly Uint8Array[] {
  const { d, p, q, dp, dq, qi } = createPrivateKey(pem).export({ format: 'jwk' });
  return [d, p, q, dp, dq, qi].flatMap((number) =>
    number === undefined ? [] : [Buffer.from(number, 'base64url')],
  );
}

/** The secret numbers inside an armored PGP key. */
export async function numbersOfPgp(armoredKey: string, passphrase: string): Promise<readonly Uint8Array[]> {
  const locked = await openpgp.readPrivateKey({ armoredKey });
  const { keyPacket } = await openpgp.decryptKey({ privateKey: locked, passphrase });
  if (!(keyPacket instanceof openpgp.SecretKeyPacket)) throw new Error('it is not a private key');
  return Object.values(keyPacket.privateParams ?? {}).filter((value) => value instanceof Uint8Array);
}
