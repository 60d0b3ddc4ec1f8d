import { ChainsError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import type { TrustedRoot } from '../sigstore/trusted-root.ts';
import { quote, withoutTrailing } from '../text.ts';

/**
 * Reads the entry of a log that a run's annotation names: `<log>/api/v1/log/entries?logIndex=N`. Only logs of the trusted root
 * are asked, since anyone who may annotate a run chooses the address.
 * @throws ChainsError WITNESS_…
 */
export async function readNamedEntry(address: string, root: TrustedRoot): Promise<JsonObject> {
  const [, log, api, index] =
    /^(https?:\/\/[^?#]+)\/api\/(v[12])\/log\/entries\?logIndex=(\d{1,15})$/.exec(address) ?? [];
  if (log === undefined || !root.logs.some((known) => withoutTrailing(known, '/') === log)) {
    throw new ChainsError(
      'WITNESS_REFUSED',
      `the run names ${quote(address)}, which is not an entry of a log of the trusted root`,
    );
  }
  const { openWitnessService } = await import('../witness/service.ts');
  const service = openWitnessService();
  try {
    if (api === 'v1') {
      const { readFromV1 } = await import('../witness/rekor-v1.ts');
      return await readFromV1(service, address);
    }
    const { readFromTiles } = await import('../witness/tiles.ts');
    const logIds = root.material.tlogs.map(({ logID }) => logID);
    return await readFromTiles(Number(index), { service, url: log, logIds });
  } finally {
    await service.close();
  }
}
