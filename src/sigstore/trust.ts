import type { TrustMaterial } from '@sigstore/verify';
import type { Config } from '../config/keys.ts';
import { keys } from '../config/keys.ts';
import { ChainsError } from '../errors.ts';
import type { HearSigstore } from '../model/sigstore.ts';
import { withoutTrailing } from '../text.ts';
import { publicRoot, publicTrustedRoot } from './public-instance.ts';
import { openTuf } from './tuf.ts';
import { parseTrustedRoot, type ServiceKind, type TrustedRoot } from './trusted-root.ts';

/** The files of the Secret `signing-secrets` that say whom to trust; undefined when they are missing. */
export interface TrustFiles {
  readonly trustedRoot: Uint8Array | undefined;
  readonly tufRoot: Uint8Array | undefined;
}

/** What the answers of services are verified with (transparency.md, "Trust"). */
export interface Trust {
  /**
   * What a service's answers are verified with; undefined for a private service that no trusted root covers. Its answers are
   * taken unverified then, and `notices` says so.
   * @throws ChainsError TRUSTED_ROOT_INVALID
   */
  of(kind: ServiceKind, url: string): Promise<TrustMaterial | undefined>;
  /** What is taken on trust, one line each. */
  readonly notices: ReadonlySet<string>;
  close(): Promise<void>;
}

const publicMirror = keys['signers.x509.tuf.mirror.url'].default;

/** Opens the trusted root; nothing is read before it is needed. */
export function openTrust(config: Config, files: TrustFiles, hear: HearSigstore = () => {}): Trust {
  const notices = new Set<string>();
  const mirror = withoutTrailing(config['signers.x509.tuf.mirror.url'], '/');
  const isPublicMirror = mirror === publicMirror;
  const given = files.trustedRoot;
  const isExplicit = given !== undefined || files.tufRoot !== undefined || !isPublicMirror;
  const begin = files.tufRoot ?? (isPublicMirror ? publicRoot() : undefined);
  const tuf = openTuf({ mirror, root: begin, hear });
  let parsed: TrustedRoot | undefined;

  async function root(): Promise<TrustedRoot> {
    if (given !== undefined) {
      parsed ??= parseTrustedRoot(
        Buffer.from(given).toString('utf8'),
        'trusted_root.json in the Secret signing-secrets',
      );
      return parsed;
    }
    if (files.tufRoot === undefined && !isPublicMirror) {
      notices.add(
        `whom to trust was begun from ${mirror}/root.json, which is trusted on first use: put it into the Secret signing-secrets as tuf-root.json`,
      );
    }
    return tuf.current();
  }

  return {
    notices,
    async of(kind, url) {
      // A private instance doesn't need the public mirror, which its cluster may not reach.
      const trusted = isExplicit || isPublic(url) ? await root() : undefined;
      if (trusted?.has(kind) === true) return trusted.material;
      if (isPublic(url))
        throw new ChainsError(
          'TRUSTED_ROOT_INVALID',
          `the trusted root has no ${kind}, and must have that of ${url}`,
        );
      notices.add(
        `what the ${kind} ${url} answers is taken unverified: no trusted root covers it; put one into the Secret signing-secrets as trusted_root.json`,
      );
      return undefined;
    },
    close: () => tuf.close(),
  };
}

/** Whether this is a service of Sigstore's public instance. */
function isPublic(url: string): boolean {
  return new URL(url).hostname.endsWith('.sigstore.dev');
}

/** The public instance's trusted root as of this release, for verifying offline. */
export function shippedTrustedRoot(): TrustedRoot {
  return parseTrustedRoot(publicTrustedRoot(), 'the trusted root of the public instance');
}
