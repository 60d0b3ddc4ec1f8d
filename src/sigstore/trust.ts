import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { TrustMaterial } from '@sigstore/verify';
import { type Config, keys } from '../config/keys.ts';
import { ChainsError } from '../errors.ts';
import { at, parseJson, textIn } from '../json.ts';
import type { SigstoreListener } from '../model/sigstore.ts';
import { withoutTrailing } from '../text.ts';
import { openTuf } from './tuf.ts';
import { parseTrustedRoot, type ServiceKind, type TrustedRoot } from './trusted-root.ts';

/** The files of the Secret `signing-secrets` that say whom to trust; undefined when they are missing. */
interface TrustFiles {
  readonly trustedRoot: Uint8Array | undefined;
  readonly tufRoot: Uint8Array | undefined;
}

/** What the answers of services are verified with (transparency.md, "Trust"). */
export interface Trust {
  /**
   * What a service's answers are verified with; undefined for a private service that no trusted root covers: its answers are
   * then not verified, and `notices` says so.
   * @throws ChainsError TRUSTED_ROOT_INVALID
   */
  of(kind: ServiceKind, url: string): Promise<TrustMaterial | undefined>;
  /** What is not verified, one line each. */
  readonly notices: ReadonlySet<string>;
  close(): Promise<void>;
}

const publicMirror = keys['signers.x509.tuf.mirror.url'].default;

/** Opens the trusted root; nothing is read before it is needed. */
export function openTrust(config: Config, files: TrustFiles, onSigstore: SigstoreListener = () => {}): Trust {
  const notices = new Set<string>();
  const mirror = withoutTrailing(config['signers.x509.tuf.mirror.url'], '/');
  const isPublicMirror = mirror === publicMirror;
  const { trustedRoot: given, tufRoot } = files;
  const isExplicit = given !== undefined || tufRoot !== undefined || !isPublicMirror;
  const tuf = openTuf({
    mirror,
    root: tufRoot ?? (isPublicMirror ? shipped('root.json') : undefined),
    onSigstore,
  });
  let parsed: TrustedRoot | undefined;

  async function root(): Promise<TrustedRoot> {
    if (given !== undefined) {
      const name = 'trusted_root.json in the Secret signing-secrets';
      parsed ??= parseTrustedRoot(Buffer.from(given).toString('utf8'), name);
      return parsed;
    }
    if (tufRoot === undefined && !isPublicMirror) {
      notices.add(
        `the first root of the TUF repository, ${mirror}/root.json, is trusted on first use: put it into the Secret signing-secrets as tuf-root.json`,
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
        `what the ${kind} ${url} answers is not verified, since no trusted root covers it; put one into the Secret signing-secrets as trusted_root.json`,
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
  const text = shipped('targets', 'trusted_root.json').toString('utf8');
  return parseTrustedRoot(text, 'the trusted root of the public instance');
}

/** A file of the public instance's TUF repository, as `@sigstore/tuf` ships it. */
function shipped(...path: readonly string[]): Buffer {
  const seeds = createRequire(import.meta.url).resolve('@sigstore/tuf/seeds.json');
  const json = parseJson(readFileSync(seeds, 'utf8'));
  return Buffer.from(textIn(at(json, 'https://tuf-repo-cdn.sigstore.dev', ...path)), 'base64');
}
