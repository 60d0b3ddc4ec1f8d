import type { KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { type Box, openBox, parseBox } from './cosign-box.ts';
import { invalidKey, secretFile, type Secrets, withoutLineEnd } from './secrets.ts';
import { pemBlock, pemLabels } from '../keys/pem.ts';
import { readPkcs8, whyNotAccepted } from './private-key.ts';

/** The PEM labels of cosign's keys: that of cosign 2 and 3, and that of cosign 1. */
export const cosignLabels = ['ENCRYPTED SIGSTORE PRIVATE KEY', 'ENCRYPTED COSIGN PRIVATE KEY'] as const;

const makeNew = 'make a new one: `chains keygen --type cosign`';

/**
 * Reads `cosign.key` with the password in `cosign.password` (behaviour.md, "Signers"), as `cosign generate-key-pair` and
 * `cosign import-key-pair` of every version write it. Takes scrypt's time, off the main thread.
 * @throws ChainsError KEY_INVALID that says what is wrong with which of the two files; never shows their content.
 */
export async function readCosignKey(file: Uint8Array, secrets: Secrets): Promise<KeyObject> {
  const path = join(secrets.folder, 'cosign.key');
  const refuse = (wrong: string) => invalidKey(`${path} ${wrong}; ${makeNew}`);
  const box = boxIn(Buffer.from(file).toString('latin1'));
  if (typeof box === 'string') throw refuse(box);
  const password = secretFile(secrets, 'cosign.password');
  if (password === undefined) {
    throw invalidKey(
      `${path} is encrypted, and there is no \`cosign.password\` next to it: put the password there (an empty file for an empty one)`,
    );
  }
  const der = await openWithEither(box, password);
  if (der === undefined) {
    throw invalidKey(
      `${path} can't be opened with the password in \`cosign.password\`: it is the password of another key, or has more than one line end after it`,
    );
  }
  const key = readPkcs8(der);
  if (key === undefined) throw refuse('holds no PKCS#8 key');
  const wrong = whyNotAccepted(key);
  if (wrong !== undefined) throw refuse(wrong);
  return key;
}

function boxIn(text: string): Box | string {
  const labels = pemLabels(text);
  const label = cosignLabels.find((known) => known === labels[0]);
  if (text.trim() === '') return 'is empty';
  if (labels.length > 1) return `holds ${labels.length} PEM blocks; leave only the private key`;
  if (label === undefined) return describeOther(labels[0]);
  const bytes = pemBlock(text, label);
  return bytes === undefined
    ? `is cut off or damaged: there is no whole block up to -----END ${label}-----`
    : parseBox(bytes);
}

function describeOther(label: string | undefined): string {
  if (label === undefined)
    return 'is not a PEM file: it has no line -----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----';
  if (label === 'PRIVATE KEY') return 'is a PKCS#8 key without a password, which belongs in `x509.pem`';
  return `is a ${label}, not a key of cosign`;
}

/**
 * A password file that is written by hand ends with a line end that isn't meant. cosign and the original Chains take all bytes
 * as they are, so there are keys whose password has one: we try without it first, then with it.
 */
async function openWithEither(box: Box, password: Uint8Array): Promise<Buffer | undefined> {
  const meant = withoutLineEnd(password);
  const opened = await openBox(box, meant);
  return opened === undefined && meant.length < password.length ? openBox(box, password) : opened;
}
