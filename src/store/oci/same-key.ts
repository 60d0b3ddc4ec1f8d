import { constants, createPublicKey, verify } from 'node:crypto';
import { type Envelope, preAuthEncoding } from '../../model/dsse.ts';
import { isJsonList, type JsonObject, member } from '../../model/json.ts';
import type { SignedArtifact, SigningKey } from '../../model/signature.ts';

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
