import type { Config } from '../config/keys.ts';
import { ChainsError } from '../errors.ts';
import type { SignedArtifact, Transparency } from '../model/signature.ts';

/** Has signatures confirmed by others, before they are stored (transparency.md, "The log"). */
export interface Witness {
  /** What was confirmed of this signature, for the stores to keep with it. A further try confirms nothing twice. */
  witness(signed: SignedArtifact, signal?: AbortSignal): Promise<Transparency>;
}

/**
 * Opens the transparency log that the configuration asks for; undefined when `transparency.enabled` is `false`. No log can
 * be used yet.
 * @throws ChainsError BACKEND_NOT_BUILT for any other value
 */
export async function openWitness(config: Config): Promise<Witness | undefined> {
  const asked = config['transparency.enabled'];
  if (asked === 'false') return undefined;
  throw new ChainsError(
    'BACKEND_NOT_BUILT',
    `transparency.enabled: \`${asked}\` comes with a later version; use \`false\``,
  );
}
