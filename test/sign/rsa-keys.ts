import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../../.cache/test-keys/', import.meta.url));
const given = new Map<number, number>();

/**
 * An RSA key pair for tests, another one each time in this process. Making one takes up to seconds, so they are kept in
 * `.cache/` from one test file and one day to the next.
 */
export function rsaKeyPair(bits: number): { publicKey: KeyObject; privateKey: KeyObject } {
  const number = given.get(bits) ?? 0;
  given.set(bits, number + 1);
  const file = `${folder}rsa-${bits}-${number}.pem`;
  const privateKey = kept(file) ?? make(bits, file);
  return { privateKey, publicKey: createPublicKey(privateKey) };
}

function kept(file: string): KeyObject | undefined {
  try {
    return createPrivateKey(readFileSync(file));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function make(bits: number, file: string): KeyObject {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: bits });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // Written whole before it has its name: other test files run at the same time.
  const fresh = `${file}.${process.pid}`;
  writeFileSync(fresh, privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 });
  renameSync(fresh, file);
  return privateKey;
}
