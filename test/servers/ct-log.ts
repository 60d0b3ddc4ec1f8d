import { createHash, generateKeyPairSync, sign, X509Certificate } from 'node:crypto';
import { type ASN1Obj, X509Certificate as ParsedCertificate } from '@sigstore/core';
import { listAt, parseJson, textIn } from '../../src/json.ts';
import { spki } from '../sign/keys.ts';
import { type Gate, openGate } from '../doubles/gate.ts';

/** A log of certificates as Fulcio asks one (RFC 6962, 4.2): it promises to log what it is shown, and logs nothing. */
export interface CertificateLog extends Pick<Gate, 'url' | 'close'> {
  /** SPKI PEM. */
  readonly publicKey: string;
}

/** Marks a certificate that is not one yet (RFC 6962, 3.1). */
const poison = '1.3.6.1.4.1.11129.2.4.3';

/** Starts it, with a key of its own. */
export async function startCertificateLog(): Promise<CertificateLog> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const id = createHash('sha256')
    .update(publicKey.export({ format: 'der', type: 'spki' }))
    .digest();
  const gate = await openGate(({ body }) => {
    const chain = listAt(parseJson(body.toString()), 'chain').map((one) =>
      Buffer.from(textIn(one), 'base64'),
    );
    const [precertificate, issuer] = chain;
    if (precertificate === undefined || issuer === undefined) return { status: 400 };
    const timestamp = Date.now();
    const signature = sign('sha256', signedData(precertificate, issuer, timestamp), privateKey);
    // TLS: SHA-256, ECDSA, and the length of what follows.
    const digitallySigned = Buffer.concat([Buffer.of(4, 3, 0, signature.length), signature]);
    const json = {
      ...{ sct_version: 0, id: id.toString('base64'), timestamp, extensions: '' },
      signature: digitallySigned.toString('base64'),
    };
    return { status: 200, json };
  });
  return { url: gate.url, close: () => gate.close(), publicKey: spki(publicKey) };
}

/** RFC 6962, 3.2, of an entry of the type `precert_entry`. */
function signedData(precertificate: Buffer, issuer: Buffer, timestamp: number): Buffer {
  const tbs = withoutPoison(precertificate);
  const head = Buffer.alloc(12);
  head.writeBigUInt64BE(BigInt(timestamp), 2);
  head.writeUInt16BE(1, 10);
  const issuerKey = new X509Certificate(issuer).publicKey.export({ format: 'der', type: 'spki' });
  const length = Buffer.alloc(4);
  length.writeUInt32BE(tbs.length);
  const issuerKeyHash = createHash('sha256').update(issuerKey).digest();
  return Buffer.concat([head, issuerKeyHash, length.subarray(1), tbs, Buffer.alloc(2)]);
}

function withoutPoison(precertificate: Buffer): Buffer {
  const { root } = ParsedCertificate.parse(Buffer.from(precertificate));
  const [tbs] = root.subs;
  const extensions = tbs?.subs.at(-1)?.subs[0];
  if (tbs === undefined || extensions === undefined) throw new Error('a certificate without extensions');
  const kept = extensions.subs.filter((extension: ASN1Obj) => extension.subs[0]?.toOID() !== poison);
  extensions.subs.splice(0, extensions.subs.length, ...kept);
  return tbs.toDER();
}
