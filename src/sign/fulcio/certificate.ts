import { type KeyObject, sign, X509Certificate } from 'node:crypto';
import type { TrustMaterial } from '@sigstore/verify';
import { ChainsError, reasonOf } from '../../errors.ts';
import type { Service } from '../../http/service.ts';
import { at, type Json, listAt, textIn } from '../../json.ts';
import { namedIn, proveCertificate } from '../../sigstore/proof.ts';
import { quote } from '../../text.ts';
import type { IdentityToken } from './identity.ts';
import { failures } from './service.ts';

/** A key pair that is used as long as its certificate is valid. */
export interface EphemeralKey {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/** A verified certificate from Fulcio. */
export interface IssuedCertificate {
  /** PEM. */
  readonly certificate: string;
  /** PEM of the certificates above it, if the answer held any. */
  readonly chain?: string;
  readonly validFrom: Date;
  readonly validUntil: Date;
}

/**
 * Requests a certificate for a key (Fulcio's API, `POST /api/v2/signingCert`), and verifies that it is of this key, was issued
 * by a trusted authority, and is in a certificate transparency log if the trusted root has one.
 * @param url Fulcio's address, without a slash at its end
 * @param trust undefined if no trusted root covers this Fulcio
 * @throws ChainsError FULCIO_…, EVIDENCE_INVALID
 */
export async function requestCertificate(
  { token, issuer, subject }: IdentityToken,
  { publicKey, privateKey }: EphemeralKey,
  {
    service,
    url,
    trust,
  }: { readonly service: Service; readonly url: string; readonly trust: TrustMaterial | undefined },
): Promise<IssuedCertificate> {
  const what = `get a certificate from ${url} for ${quote(subject)} of ${quote(issuer)}`;
  const content = publicKey.export({ format: 'pem', type: 'spki' }).toString();
  const proofOfPossession = sign('sha256', Buffer.from(subject), privateKey).toString('base64');
  const { body } = await service.call({
    what,
    method: 'POST',
    url: `${url}/api/v2/signingCert`,
    body: JSON.stringify({
      credentials: { oidcIdentityToken: token },
      publicKeyRequest: { publicKey: { algorithm: 'ECDSA', content }, proofOfPossession },
    }),
  });
  const [certificate, ...chain] = certificatesIn(body);
  if (certificate === undefined) throw failures.unreadable(what, 'no certificate');
  try {
    return verifiedCertificate(certificate, chain, publicKey, trust);
  } catch (error) {
    throw new ChainsError('EVIDENCE_INVALID', `${what}: the answer does not verify: ${reasonOf(error)}`);
  }
}

/** The SCT is embedded in the certificate, or in a field next to it. */
function certificatesIn(body: Json | undefined): readonly string[] {
  const answer = at(body, 'signedCertificateEmbeddedSct') ?? at(body, 'signedCertificateDetachedSct');
  return listAt(answer, 'chain', 'certificates').map(textIn);
}

/** Certificates are serialized again, so that nothing around their PEM blocks is kept. */
function verifiedCertificate(
  pem: string,
  chain: readonly string[],
  publicKey: KeyObject,
  trust: TrustMaterial | undefined,
): IssuedCertificate {
  const certificate = new X509Certificate(pem);
  const { raw, validFromDate: validFrom, validToDate: validUntil } = certificate;
  if (!certificate.publicKey.equals(publicKey)) throw new Error('the certificate is of another key');
  const { subject } = trust === undefined ? namedIn(raw) : proveCertificate(raw, [validFrom], trust);
  if (subject === '') throw new Error('the certificate names no identity');
  const above = chain.map((one) => new X509Certificate(one).toString()).join('');
  return {
    certificate: certificate.toString(),
    ...(above === '' ? {} : { chain: above }),
    validFrom,
    validUntil,
  };
}
