import { type KeyObject, sign, X509Certificate } from 'node:crypto';
import type { TrustMaterial } from '@sigstore/verify';
import { ChainsError, reasonOf } from '../../errors.ts';
import type { Service } from '../../http/service.ts';
import { at, type Json, listAt, textIn } from '../../json.ts';
import { type Identity, namedIn, proveCertificate } from '../../sigstore/proof.ts';
import { quote } from '../../text.ts';
import type { IdentityToken } from './identity.ts';
import { failures } from './service.ts';

/** A key pair that lives as long as its certificate. */
export interface EphemeralKey {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/** A certificate as Fulcio gave it, proven. */
export interface IssuedCertificate {
  /** PEM. */
  readonly certificate: string;
  /** PEM, of what is above it; undefined where the answer held none. */
  readonly chain: string | undefined;
  readonly identity: Identity;
  readonly validFrom: Date;
  readonly validUntil: Date;
}

/** What asking for a certificate takes. */
export interface CertificateOptions {
  readonly service: Service;
  /** Fulcio's address, without a slash at its end. */
  readonly url: string;
  /** Undefined where nothing is known of this Fulcio. */
  readonly trust: TrustMaterial | undefined;
}

/**
 * Gets a certificate for a key (Fulcio's API, `POST /api/v2/signingCert`), and proves that it is of this key, of a trusted
 * authority, and in a log of certificates where the trusted root has one.
 * @throws ChainsError FULCIO_…, EVIDENCE_INVALID
 */
export async function requestCertificate(
  { token, issuer, subject }: IdentityToken,
  { publicKey, privateKey }: EphemeralKey,
  { service, url, trust }: CertificateOptions,
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
    return provenCertificate(certificate, chain, publicKey, trust);
  } catch (error) {
    throw new ChainsError('EVIDENCE_INVALID', `${what}: what came does not hold: ${reasonOf(error)}`);
  }
}

/** The SCT is embedded in the certificate, or in a field next to it. */
function certificatesIn(body: Json | undefined): readonly string[] {
  const answer = at(body, 'signedCertificateEmbeddedSct') ?? at(body, 'signedCertificateDetachedSct');
  return listAt(answer, 'chain', 'certificates').map(textIn);
}

function provenCertificate(
  pem: string,
  chain: readonly string[],
  publicKey: KeyObject,
  trust: TrustMaterial | undefined,
): IssuedCertificate {
  const { raw, validFromDate: validFrom, validToDate: validUntil, ...certificate } = read(pem);
  if (!certificate.publicKey.equals(publicKey)) throw new Error('the certificate is of another key');
  const identity = trust === undefined ? namedIn(raw) : proveCertificate(raw, [validFrom], trust);
  if (identity.subject === '') throw new Error('the certificate names no identity');
  const above = chain.map((one) => read(one).pem).join('');
  return { certificate: certificate.pem, chain: above || undefined, identity, validFrom, validUntil };
}

/** Written again, so that nothing around it is kept. */
function read(pem: string) {
  const certificate = new X509Certificate(pem);
  const { raw, publicKey, validFromDate, validToDate } = certificate;
  return { raw, publicKey, validFromDate, validToDate, pem: certificate.toString() };
}
