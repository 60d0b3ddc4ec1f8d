import type { Hints } from '../model/evidence.ts';
import type { NamedImage } from '../model/image.ts';
import { parseDigest } from './digest.ts';
import { firstOfEach, imagesIn } from './images.ts';
import { reportNearMisses } from './near-misses.ts';
import { artifactPair, pairsIn, type Reading, type Result, structuresIn } from './results.ts';

/**
 * The hints in a list of results (payloads.md, 3); near misses are reported.
 * @param resources images from elsewhere, which come after those of the results
 */
export function hintsIn(
  results: readonly Result[],
  reading: Reading,
  resources: readonly NamedImage[] = [],
): Hints {
  const { report } = reading;
  const outputs = structuresIn(results, 'ARTIFACT_OUTPUTS', reading);
  const images = imagesIn(results, outputs, reading);
  const inputs = structuresIn(results, 'ARTIFACT_INPUTS', reading);
  const artifacts = pairsIn(results, artifactPair, report).filter((pair) => {
    const digest = parseDigest(pair.digest);
    if (!digest.ok)
      report(`${pair.digestAt}.value`, `${pair.names}: no artifact, as the digest ${digest.wrong}`);
    return digest.ok;
  });
  reportNearMisses(results, report);
  return {
    images: firstOfEach([...images, ...resources]),
    artifacts: artifacts.map(({ uri, digest }) => ({ uri, digest })),
    outputs: outputs.map(({ uri, digest, isBuildArtifact }) => ({ uri, digest, isBuildArtifact })),
    inputs: inputs.map(({ uri, read }) => ({ uri, ...read })),
  };
}
