import type { TrustMaterial } from '@sigstore/verify';
import type { Config } from '../config/keys.ts';
import { keys } from '../config/keys.ts';
import { ChainsError } from '../errors.ts';
import type { HearSigstore } from '../model/sigstore.ts';
import { withoutTrailing } from '../text.ts';
import { publicRoot, publicTrustedRoot } from './public-instance.ts';
import { openTuf } from './tuf.ts';
import { parseTrustedRoot, type ServiceKind, type TrustedRoot } from './trusted-root.ts';

/** Files of the Secret `signing-secrets` that say whom to trust; undefined where they aren't there. */
export interface TrustFiles {
  readonly trustedRoot: Uint8Array | undefined;
  readonly tufRoot: Uint8Array | undefined;
}

/** Whom the answers of services are verified with (transparency.md, "Trust"). */
export interface Trust {
  /**
   * What the answers of a service are verified with; undefined where nothing is known of one that isn't Sigstore's own, so
   * that they are taken as they are, which `notices` says.
   * @throws ChainsError TRUSTED_ROOT_INVALID
   */
  of(kind: ServiceKind, url: string): Promise<TrustMaterial | undefined>;
  /** What people should know about whom is trusted, a line each. */
  readonly notices: ReadonlySet<string>;
  close(): Promise<void>;
}

const publicMirror = keys['signers.x509.tuf.mirror.url'].default;

/** Opens whom to trust; nothing is read before it is needed. */
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
      // A private instance needs nothing of the public one, which its cluster may not even reach.
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

/** The trusted root of the public instance, as it was when this version was made: for verifying without asking anybody. */
export function shippedTrustedRoot(): TrustedRoot {
  return parseTrustedRoot(publicTrustedRoot(), 'the trusted root of the public instance');
}
