import { randomBytes, scrypt, type ScryptOptions } from 'node:crypto';
import { promisify } from 'node:util';
import { at, parseJson } from '../json.ts';
import { base64 } from '../keys/pem.ts';

/** What cosign 2 and 3 write. */
const usual = { N: 65_536, r: 8, p: 1 } as const;

const scryptInThread = promisify<Uint8Array, Uint8Array, number, ScryptOptions, Buffer>(scrypt);

const mebibyte = 1024 * 1024;

/** Bytes of memory that scrypt may take: 256 MiB for its table (128·N·r), and a little for the computation. */
const memoryLimit = 257 * mebibyte;

/** The largest N·r·p, which scrypt's time is proportional to: sixteen times the usual, 2 to 5 seconds. */
const workLimit = 16 * usual.N * usual.r * usual.p;

interface Parameters {
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

/** The content of a key file: JSON with scrypt's parameters and a NaCl secretbox (behaviour.md, "Signers"). */
export interface Box {
  readonly parameters: Parameters;
  readonly salt: Uint8Array;
  readonly nonce: Uint8Array;
  readonly ciphertext: Uint8Array;
}

/** Reads a box; a string says why it can't be opened, or must not be. */
export function parseBox(bytes: Uint8Array): Box | string {
  let json: unknown;
  try {
    json = parseJson(Buffer.from(bytes).toString('utf8'));
  } catch {
    return 'is cut off or damaged: what its PEM block holds is not JSON';
  }
  const [kdf, cipher] = [at(json, 'kdf', 'name'), at(json, 'cipher', 'name')];
  if (typeof kdf !== 'string' || typeof cipher !== 'string') {
    return 'is damaged: its JSON names no `kdf` or no `cipher`';
  }
  if (kdf !== 'scrypt') return `derives its key with ${shown(kdf)}; only scrypt is known`;
  if (cipher !== 'nacl/secretbox') return `is encrypted with ${shown(cipher)}; only nacl/secretbox is known`;
  const [N, r, p] = ['N', 'r', 'p'].map((name) => at(json, 'kdf', 'params', name));
  if (!isCount(N) || !isCount(r) || !isCount(p) || N < 2 || !Number.isInteger(Math.log2(N))) {
    return "is damaged: scrypt's N must be a power of two above 1, r and p whole numbers above 0";
  }
  const tooMuch = whyTooExpensive({ N, r, p });
  if (tooMuch !== undefined) return tooMuch;
  const [salt, nonce, ciphertext] = [
    bytesIn(at(json, 'kdf', 'salt')),
    bytesIn(at(json, 'cipher', 'nonce')),
    bytesIn(at(json, 'ciphertext')),
  ];
  if (salt === undefined || nonce?.length !== 24 || ciphertext === undefined || ciphertext.length <= 16) {
    return 'is damaged: its salt, nonce or ciphertext is missing or has the wrong length';
  }
  return { parameters: { N, r, p }, salt, nonce, ciphertext };
}

/** Opens a box; undefined when the password is wrong. The caller wipes the result. */
export async function openBox(box: Box, password: Uint8Array): Promise<Buffer | undefined> {
  const key = await derive(password, box.salt, box.parameters);
  const { xsalsa20poly1305 } = await import('@noble/ciphers/salsa.js');
  try {
    const opened = xsalsa20poly1305(key, box.nonce).decrypt(box.ciphertext);
    return Buffer.from(opened.buffer, opened.byteOffset, opened.length);
  } catch {
    // The tag doesn't match; the lengths have been checked before.
    return undefined;
  } finally {
    key.fill(0);
  }
}

/** Seals bytes as cosign does: the JSON of a new box. */
export async function sealBox(plain: Uint8Array, password: Uint8Array): Promise<string> {
  const [salt, nonce] = [randomBytes(32), randomBytes(24)];
  const key = await derive(password, salt, usual);
  const { xsalsa20poly1305 } = await import('@noble/ciphers/salsa.js');
  const ciphertext = xsalsa20poly1305(key, nonce).encrypt(plain);
  key.fill(0);
  return JSON.stringify({
    kdf: { name: 'scrypt', params: usual, salt: base64(salt) },
    cipher: { name: 'nacl/secretbox', nonce: base64(nonce) },
    ciphertext: base64(ciphertext),
  });
}

function derive(password: Uint8Array, salt: Uint8Array, parameters: Parameters): Promise<Buffer> {
  return scryptInThread(password, salt, 32, { ...parameters, maxmem: memoryLimit });
}

function whyTooExpensive({ N, r, p }: Parameters): string | undefined {
  // The same formula as OpenSSL's, so that what passes here isn't refused there.
  const memory = 128 * r * (N + p + 2);
  const asks = `asks scrypt (N=${N}, r=${r}, p=${p})`;
  if (memory > memoryLimit) {
    return `${asks} for ${Math.floor(memory / mebibyte)} MiB of memory; 256 MiB are allowed`;
  }
  const times = Math.ceil((N * r * p) / workLimit);
  return times > 1 ? `${asks} for ${times} times the time that is allowed` : undefined;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0;
}

function bytesIn(value: unknown): Uint8Array | undefined {
  return typeof value === 'string' && /^[\w+/]+={0,2}$/.test(value)
    ? Buffer.from(value, 'base64')
    : undefined;
}

/** A name from the file for a message, shortened. */
function shown(name: string): string {
  return JSON.stringify(name.slice(0, 40));
}
