import type { Config } from '../config/keys.ts';
import { ChainsError } from '../errors.ts';

/**
 * Opens the transparency log that the configuration asks for. None is built yet: resolves to undefined when
 * `transparency.enabled` is `false`.
 * @throws ChainsError BACKEND_NOT_BUILT otherwise.
 */
export async function openWitness(config: Config): Promise<undefined> {
  const asked = config['transparency.enabled'];
  if (asked === 'false') return undefined;
  throw new ChainsError(
    'BACKEND_NOT_BUILT',
    `transparency.enabled: \`${asked}\` comes with a later version; use \`false\``,
  );
}
