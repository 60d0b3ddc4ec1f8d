import { RE2JS } from 're2js';
import { ChainsError, reasonOf } from '../errors.ts';
import { quote } from '../text.ts';
import type { Identity } from './proof.ts';

/** Whom a certificate must name: exactly, or by a regular expression; the names are those of cosign's flags. */
export interface IdentityPolicy {
  readonly certificateIdentity?: string | undefined;
  readonly certificateIdentityRegexp?: string | undefined;
  readonly certificateOidcIssuer?: string | undefined;
  readonly certificateOidcIssuerRegexp?: string | undefined;
}

/** Why an identity is not the one that the policy names; undefined if it is. */
export type JudgeIdentity = (identity: Identity) => string | undefined;

/**
 * Reads whom a certificate must name. Regular expressions have Go's syntax, as in cosign, match the whole text, and take time
 * linear in its length.
 * @throws ChainsError USAGE without subject or issuer, and for an invalid expression
 */
export function identityJudge(policy: IdentityPolicy): JudgeIdentity {
  const { certificateIdentity, certificateIdentityRegexp } = policy;
  const { certificateOidcIssuer, certificateOidcIssuerRegexp } = policy;
  const isSubject = matcher('certificate-identity', certificateIdentity, certificateIdentityRegexp);
  const isIssuer = matcher('certificate-oidc-issuer', certificateOidcIssuer, certificateOidcIssuerRegexp);
  return ({ subject, issuer }) => {
    if (!isSubject(subject)) return `the certificate names ${quote(subject)}`;
    return isIssuer(issuer) ? undefined : `the certificate names the issuer ${quote(issuer)}`;
  };
}

function matcher(
  flag: string,
  exact: string | undefined,
  expression: string | undefined,
): (text: string) => boolean {
  if ((exact === undefined) === (expression === undefined))
    throw new ChainsError('USAGE', `give either --${flag} or --${flag}-regexp`);
  if (exact === '' || expression === '')
    throw new ChainsError('USAGE', `--${flag} is empty: no certificate names an empty identity`);
  if (expression === undefined) return (text) => text === exact;
  try {
    const pattern = RE2JS.compile(expression);
    return (text) => pattern.matches(text);
  } catch (error) {
    throw new ChainsError('USAGE', `--${flag}-regexp is not a regular expression: ${reasonOf(error)}`);
  }
}
