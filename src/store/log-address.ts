import type { Config } from '../config/keys.ts';
import { type JsonObject, textIn } from '../json.ts';
import { transparencyMark } from '../model/marks.ts';
import type { SignedArtifact } from '../model/signature.ts';
import { withoutTrailing } from '../text.ts';

/** A signed artifact, as far as its entries in the log go. */
type Logged = Pick<SignedArtifact, 'artifact' | 'transparency'>;

/** Where people find the entries of these artifacts in the log that the configuration names (transparency.md, "The log"). */
export function logAddresses(config: Config, signed: readonly Logged[]): readonly string[] {
  const entries = signed.flatMap(({ transparency }) => transparency?.logEntries ?? []);
  return [...new Set(entries.map((entry) => logAddress(config, entry)))];
}

/** The annotation that names the entry of the run's own signature; none where it isn't logged. */
export function logMark(config: Config, signed: readonly Logged[]): Readonly<Record<string, string>> {
  const [own] = logAddresses(
    config,
    signed.filter(({ artifact }) => artifact.kind !== 'oci'),
  );
  return own === undefined ? {} : { [transparencyMark]: own };
}

function logAddress(config: Config, { logIndex }: JsonObject): string {
  const url = withoutTrailing(config['transparency.url'], '/');
  return `${url}/api/${config['transparency.api']}/log/entries?logIndex=${textIn(logIndex)}`;
}
