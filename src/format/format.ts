import type { Config, FormatName } from '../config/keys.ts';
import type { Artifact } from '../model/artifact.ts';
import type { Report } from '../model/problem.ts';
import type { Payload } from '../model/signature.ts';

/** What a payload depends on besides the artifact. */
export interface FormatOptions {
  readonly config: Config;
  /** The ConfigMap's name of the format, since one predicate can have several. */
  readonly name: FormatName;
  /** True where an image's signature goes into a Sigstore bundle. */
  readonly bundled?: boolean | undefined;
  /** Takes what the format leaves out. */
  readonly report: Report;
}

/**
 * Makes an artifact's payload. The same run and configuration give the same bytes.
 * @throws ChainsError RUN_UNREADABLE when a field that it needs is missing or of the wrong type; CONFIG_INVALID when it
 * doesn't make payloads for artifacts of this kind.
 */
export type Format = (artifact: Artifact, options: FormatOptions) => Payload;
