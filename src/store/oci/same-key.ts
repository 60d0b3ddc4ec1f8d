import { constants, createPublicKey, verify } from 'node:crypto';
import { type Envelope, preAuthEncoding } from '../../model/dsse.ts';
import { isJsonList, type JsonObject, member } from '../../model/json.ts';
import type { Payload, SignedArtifact, SigningKey } from '../../model/signature.ts';

/** Whether a signature of the message is one of this key. */
export async function signedBy(
  { publicKey }: SigningKey,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  if (publicKey.includes('BEGIN PGP PUBLIC KEY')) return signedByPgp(publicKey, message, signature);
  const key = createPublicKey(publicKey);
  // KMSs sign with the digest that their key is for, and some RSA keys with PSS.
  const digests = key.asymmetricKeyType === 'ed25519' ? [null] : ['sha256', 'sha384', 'sha512'];
  const { RSA_PKCS1_PADDING, RSA_PKCS1_PSS_PADDING } = constants;
  const ways =
    key.asymmetricKeyType === 'rsa'
      ? [RSA_PKCS1_PADDING, RSA_PKCS1_PSS_PADDING].map((padding) => ({ key, padding }))
      : [key];
  return digests.some((digest) => ways.some((way) => verify(digest, message, way, signature)));
}

async function signedByPgp(armoredKey: string, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  const pgp = await import('openpgp');
  try {
    const { signatures } = await pgp.verify({
      message: await pgp.createMessage({ binary: message }),
      signature: await pgp.readSignature({ armoredSignature: Buffer.from(signature).toString('utf8') }),
      verificationKeys: await pgp.readKey({ armoredKey }),
    });
    return (await Promise.allSettled(signatures.map(({ verified }) => verified))).some(
      ({ status }) => status === 'fulfilled',
    );
  } catch {
    // Somebody else's signature, which need not be PGP at all.
    return false;
  }
}

/** A DSSE envelope in JSON; undefined when it is none. */
export function parseEnvelope(json: JsonObject): Envelope | undefined {
  const [payloadType, payload, list] = ['payloadType', 'payload', 'signatures'].map((key) =>
    member(json, key),
  );
  if (typeof payloadType !== 'string' || typeof payload !== 'string' || !isJsonList(list)) return undefined;
  const signatures = list.flatMap((one) => {
    const [sig, keyid] = [member(one, 'sig'), member(one, 'keyid') ?? ''];
    return typeof sig === 'string' && typeof keyid === 'string' ? [{ sig, keyid }] : [];
  });
  return { payloadType, payload, signatures };
}

/** What an envelope or bundle has beside the payload: signatures, certificates, log entries. In bytes. */
const besidePayload = 64 * 1024;

/** Whether something of this size can hold the payload in base64, so that what is much longer, or shorter, need not be read. */
export function mayHold(size: number, { bytes }: Payload): boolean {
  const least = (bytes.length / 3) * 4;
  return size >= least && size <= least + besidePayload;
}

/** Whether an envelope holds this entry's payload, signed by the same key. */
export async function holdsSame(
  envelope: Envelope | undefined,
  { payload, signature }: SignedArtifact,
): Promise<boolean> {
  if (envelope === undefined || envelope.payloadType !== payload.dsseType) return false;
  if (!Buffer.from(envelope.payload, 'base64').equals(payload.bytes)) return false;
  const message = preAuthEncoding(payload.dsseType, payload.bytes);
  const checks = envelope.signatures.map(({ sig }) =>
    signedBy(signature.key, message, Buffer.from(sig, 'base64')),
  );
  return (await Promise.all(checks)).includes(true);
}
