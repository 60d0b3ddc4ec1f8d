import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { Secrets } from '../../src/sign/index.ts';
import { rsaKeyPair } from './rsa-keys.ts';

/** A key pair of each kind that signs. */
export const keyPairs: Readonly<Record<string, () => { publicKey: KeyObject; privateKey: KeyObject }>> = {
  'ECDSA P-256': () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  'ECDSA P-384': () => generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  'ECDSA P-521': () => generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  Ed25519: () => generateKeyPairSync('ed25519'),
  RSA: () => rsaKeyPair(2048),
};

/** PKCS#8 PEM. */
export function pkcs8(key: KeyObject): string {
  return key.export({ format: 'pem', type: 'pkcs8' }).toString();
}

/** SPKI PEM. */
export function spki(key: KeyObject): string {
  return key.export({ format: 'pem', type: 'spki' }).toString();
}

/** Secrets with these files. */
export function secretsWith(files: Readonly<Record<string, string | Uint8Array>>): Secrets {
  const bytes = Object.entries(files).map(([name, content]) => [name, Buffer.from(content)] as const);
  return { folder: '/etc/signing-secrets', files: new Map(bytes) };
}
