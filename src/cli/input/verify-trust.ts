import type { IdentityPolicy } from '../../sigstore/identity-policy.ts';
import type { TrustedRoot } from '../../sigstore/trusted-root.ts';
import type { EvidenceOptions } from '../../verify/index.ts';
import { readBytes } from './documents.ts';
import { usageError } from '../usage-error.ts';

/** What certificates, logs and timestamps must prove, as parsed. */
export interface TrustArguments extends IdentityPolicy {
  readonly trustedRoot?: string;
  readonly tufMirror?: string;
  readonly tufRoot?: string;
  readonly requireLog?: boolean;
  readonly requireTimestamp?: boolean;
  readonly offline?: boolean;
}

/** What evidence must prove, and the trusted root for it, which is read when it is needed. @throws ChainsError USAGE */
export async function readTrust(options: TrustArguments): Promise<EvidenceOptions> {
  const { trustedRoot, tufMirror, tufRoot } = options;
  if (trustedRoot !== undefined && tufMirror !== undefined)
    throw usageError('give either --trusted-root or --tuf-mirror');
  if (tufRoot !== undefined && tufMirror === undefined) throw usageError('--tuf-root needs --tuf-mirror');
  let root: Promise<TrustedRoot> | undefined;
  return {
    root: () => (root ??= readRoot(options)),
    isRootGiven: trustedRoot !== undefined || tufMirror !== undefined,
    identity: asksForIdentity(options)
      ? (await import('../../sigstore/identity-policy.ts')).identityJudge(options)
      : undefined,
    requireLog: options.requireLog === true,
    requireTimestamp: options.requireTimestamp === true,
    mayAsk: options.offline !== true,
  };
}

/** Whether the identity in a certificate is demanded, so that there is no key. */
export function asksForIdentity(options: IdentityPolicy): boolean {
  return (
    options.certificateIdentity !== undefined ||
    options.certificateIdentityRegexp !== undefined ||
    options.certificateOidcIssuer !== undefined ||
    options.certificateOidcIssuerRegexp !== undefined
  );
}

async function readRoot({ trustedRoot, tufMirror, tufRoot }: TrustArguments): Promise<TrustedRoot> {
  if (trustedRoot !== undefined) {
    const { parseTrustedRoot } = await import('../../sigstore/trusted-root.ts');
    const bytes = await readBytes(trustedRoot, `--trusted-root ${trustedRoot}`);
    return parseTrustedRoot(bytes.toString('utf8'), trustedRoot);
  }
  if (tufMirror === undefined) return (await import('../../sigstore/trust.ts')).shippedTrustedRoot();
  const { openTuf } = await import('../../sigstore/tuf.ts');
  const root = tufRoot === undefined ? undefined : await readBytes(tufRoot, `--tuf-root ${tufRoot}`);
  const tuf = openTuf({ mirror: tufMirror, root });
  try {
    return await tuf.current();
  } finally {
    await tuf.close();
  }
}
