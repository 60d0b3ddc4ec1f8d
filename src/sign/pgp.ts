import { join } from 'node:path';
import * as openpgp from 'openpgp';
import type { Config } from '../config/keys.ts';
import { config, verifyPgp } from '../keys/pgp.ts';
import { ChainsError } from '../errors.ts';
import { once, type Once } from '../concurrency.ts';
import type { Signature } from '../model/signature.ts';
import { keyIdOf } from '../keys/key-id.ts';
import { invalidKey, secretFile, type Secrets, utf8, withoutLineEnd } from './secrets.ts';
import { idOf, readPgpKey, type SecretPacket, signingPartAt } from './pgp-key.ts';
import type { Signer } from './signer.ts';

/** A private key, and its file. */
interface KeyFile {
  readonly key: openpgp.PrivateKey;
  readonly path: string;
  /** Decrypts and validates a part of the key, once. */
  readonly unlocked: Once<SecretPacket, void>;
}

/**
 * Opens the signer `pgp` with the key in `pgp.private-key` and the passphrase in `pgp.passphrase` (behaviour.md,
 * "Signers"). Signatures are armored and detached, of binary type and version 4, as `gpg --verify` accepts them. As in gpg, the
 * part of the key that signs, and whether it still may, is decided for each signature.
 * @throws ChainsError KEY_INVALID when there is no key that may sign now, or its passphrase is missing or wrong.
 */
export async function openPgp(_: Config, secrets: Secrets): Promise<Signer> {
  const opened = await readKey(secrets);
  const publicKey = opened.key.toPublic();
  const armored = publicKey.armor(config);
  await unlockedAt(opened, new Date());
  return {
    async sign(message, { notBefore, signal } = {}): Promise<Signature> {
      signal?.throwIfAborted();
      const date = laterOf(notBefore, new Date());
      const { packet, keyId } = await unlockedAt(opened, date);
      const literal = await openpgp.createMessage({ binary: message });
      // The library's types need a package of streams that isn't installed.
      const signed: unknown = await openpgp.sign({
        message: literal,
        signingKeys: opened.key,
        signingKeyIDs: packet.getKeyID(),
        detached: true,
        date,
        config,
      });
      const bytes = Buffer.from(String(signed));
      // Verified before it is used, since a faulty signature can reveal the key.
      if (typeof (await verifyPgp(publicKey, message, bytes, date)) === 'string') {
        throw new ChainsError(
          'SIGNATURE_INVALID',
          `${opened.path}: what ${idOf(packet)} signed does not verify under its own public key`,
        );
      }
      return { bytes, key: { publicKey: armored, keyId } };
    },
  };
}

async function readKey(secrets: Secrets): Promise<KeyFile> {
  const path = join(secrets.folder, 'pgp.private-key');
  const file = secretFile(secrets, 'pgp.private-key');
  if (file === undefined) {
    throw invalidKey(
      `the folder of the signing key, ${secrets.folder}, ${secrets.missing ?? 'has no `pgp.private-key`'}: ` +
        'export one with `gpg --armor --export-secret-keys KEYID > pgp.private-key`, or make key and Secret with `chains keygen --type pgp --secret | kubectl apply -f -`',
    );
  }
  const key = await readPgpKey(file);
  if (typeof key === 'string') throw invalidKey(`${path} ${key}`);
  // Bytes until it is needed, since a string would stay in the heap.
  const passphrase = secretFile(secrets, 'pgp.passphrase');
  return { key, path, unlocked: once((packet) => unlock(packet, passphrase, path)) };
}

/** The part of the key that signs at that time, unlocked. */
async function unlockedAt(
  { key, path, unlocked }: KeyFile,
  date: Date,
): Promise<{ packet: SecretPacket; keyId: string }> {
  const part = await signingPartAt(key, date);
  if (typeof part === 'string') throw invalidKey(`${path}: the key ${idOf(key)} ${part}`);
  const { packet, publicKey } = part;
  await unlocked(packet);
  return { packet, keyId: keyIdOf(publicKey) };
}

async function unlock(packet: SecretPacket, file: Uint8Array | undefined, path: string): Promise<void> {
  const refuse = (wrong: string) => invalidKey(`${path}: ${wrong}`);
  const isLocked = !packet.isDecrypted();
  const passphrase = isLocked ? file && utf8(withoutLineEnd(file)) : '';
  if (passphrase === undefined) {
    throw refuse(
      `the key ${idOf(packet)} has a passphrase, and there is no \`pgp.passphrase\` in UTF-8 next to it: put the passphrase there`,
    );
  }
  try {
    if (isLocked) await packet.decrypt(passphrase);
    await packet.validate();
  } catch (error) {
    const wrong = error instanceof Error && error.message.startsWith('Incorrect key passphrase');
    throw refuse(
      wrong
        ? `the passphrase in \`pgp.passphrase\` is not that of the key ${idOf(packet)}; put the right one there`
        : `the key ${idOf(packet)} is damaged: its secret part does not fit its public part; export it again`,
    );
  }
}

/** Signatures hold whole seconds, and rounding down must not make one older than what it signs. */
function laterOf(notBefore: Date | undefined, now: Date): Date {
  const earliest = Math.ceil((notBefore?.getTime() ?? 0) / 1_000) * 1_000;
  return new Date(Math.max(earliest, now.getTime()));
}
