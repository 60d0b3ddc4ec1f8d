import { constants, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { type Envelope, preAuthEncoding } from '../../model/dsse.ts';
import { isJsonList, type JsonObject, member } from '../../model/json.ts';
import type { SignedArtifact, SigningKey } from '../../model/signature.ts';

/** Whether a signature of the message is one of this key. PGP signatures are never recognised: two are never equal. */
export function signedBy(key: SigningKey, message: Uint8Array, signature: Uint8Array): boolean {
  const publicKey = publicKeyOf(key);
  if (publicKey === undefined) return false;
  // KMSs sign with the digest that their key is for, and some RSA keys with PSS.
  const digests = publicKey.asymmetricKeyType === 'ed25519' ? [null] : ['sha256', 'sha384', 'sha512'];
  const paddings =
    publicKey.asymmetricKeyType === 'rsa'
      ? [constants.RSA_PKCS1_PADDING, constants.RSA_PKCS1_PSS_PADDING]
      : [undefined];
  return digests.some((digest) =>
    paddings.some((padding) =>
      verify(digest, message, padding === undefined ? publicKey : { key: publicKey, padding }, signature),
    ),
  );
}

function publicKeyOf({ publicKey }: SigningKey): KeyObject | undefined {
  return publicKey.includes('BEGIN PUBLIC KEY') ? createPublicKey(publicKey) : undefined;
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
export function holdsSame(envelope: Envelope | undefined, { payload, signature }: SignedArtifact): boolean {
  if (envelope === undefined || envelope.payloadType !== payload.dsseType) return false;
  if (!Buffer.from(envelope.payload, 'base64').equals(payload.bytes)) return false;
  const message = preAuthEncoding(payload.dsseType, payload.bytes);
  return envelope.signatures.some(({ sig }) => signedBy(signature.key, message, Buffer.from(sig, 'base64')));
}
