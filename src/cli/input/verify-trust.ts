import { readFile } from 'node:fs/promises';
import { ChainsError, reasonOf } from '../../errors.ts';
import type { IdentityPolicy } from '../../sigstore/identity-policy.ts';
import type { TrustedRoot } from '../../sigstore/trusted-root.ts';
import type { EvidenceOptions } from '../../verify/evidence.ts';

/** What is demanded of certificates, logs and timestamps, as parsed. */
export interface TrustArguments extends IdentityPolicy {
  readonly trustedRoot?: string;
  readonly tufMirror?: string;
  readonly tufRoot?: string;
  readonly requireLog?: boolean;
  readonly requireTimestamp?: boolean;
  readonly offline?: boolean;
}

/** Reads what is demanded of evidence, and whom it is proven with; a file is read when it is needed. @throws ChainsError USAGE */
export async function readTrust(options: TrustArguments): Promise<EvidenceOptions> {
  const { trustedRoot, tufMirror, tufRoot } = options;
  const isRootGiven = trustedRoot !== undefined || tufMirror !== undefined;
  if (trustedRoot !== undefined && tufMirror !== undefined)
    throw new ChainsError('USAGE', 'give either --trusted-root or --tuf-mirror');
  if (tufRoot !== undefined && tufMirror === undefined)
    throw new ChainsError('USAGE', '--tuf-root is the beginning of a --tuf-mirror');
  let root: Promise<TrustedRoot> | undefined;
  return {
    root: () => (root ??= readRoot(options)),
    isRootGiven,
    identity: asksForIdentity(options) ? await identityOf(options) : undefined,
    requireLog: options.requireLog === true,
    requireTimestamp: options.requireTimestamp === true,
    mayAsk: options.offline !== true,
  };
}

async function identityOf(policy: IdentityPolicy): Promise<EvidenceOptions['identity']> {
  return (await import('../../sigstore/identity-policy.ts')).identityJudge(policy);
}

/** Whether a certificate is demanded. */
export function asksForIdentity(options: IdentityPolicy): boolean {
  const { certificateIdentity, certificateIdentityRegexp } = options;
  const { certificateOidcIssuer, certificateOidcIssuerRegexp } = options;
  return [
    certificateIdentity,
    certificateIdentityRegexp,
    certificateOidcIssuer,
    certificateOidcIssuerRegexp,
  ].some((given) => given !== undefined);
}

async function readRoot({ trustedRoot, tufMirror, tufRoot }: TrustArguments): Promise<TrustedRoot> {
  if (trustedRoot !== undefined) {
    const { parseTrustedRoot } = await import('../../sigstore/trusted-root.ts');
    return parseTrustedRoot((await file('--trusted-root', trustedRoot)).toString('utf8'), trustedRoot);
  }
  if (tufMirror === undefined) return (await import('../../sigstore/trust.ts')).shippedTrustedRoot();
  const { openTuf } = await import('../../sigstore/tuf.ts');
  const root = tufRoot === undefined ? undefined : await file('--tuf-root', tufRoot);
  const tuf = openTuf({ mirror: tufMirror, root });
  try {
    return await tuf.current();
  } finally {
    await tuf.close();
  }
}

async function file(flag: string, path: string): Promise<Buffer> {
  return readFile(path).catch((error: unknown) => {
    throw new ChainsError('USAGE', `${flag} ${path} can't be read: ${reasonOf(error)}`);
  });
}
