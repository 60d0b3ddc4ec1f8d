import type { Hints } from '../model/evidence.ts';
import type { NamedImage } from '../model/image.ts';
import type { Report } from '../model/problem.ts';
import { artifactPair, pairsIn, structuresIn } from './hints.ts';
import { firstOfEach, imagesIn } from './images.ts';
import { parseDigest } from './digest.ts';
import { reportNearMisses } from './near-misses.ts';
import type { Result } from './results.ts';

/** How a list of results is read. */
export interface HintOptions {
  readonly report: Report;
  /** Images that stand elsewhere, which come after those of the results. */
  readonly resources?: readonly NamedImage[];
  readonly asWritten?: boolean | undefined;
}

/** What a list of results names (payloads.md, 3), and what in it looks as if it did. */
export function hintsIn(
  results: readonly Result[],
  { report, resources = [], asWritten = false }: HintOptions,
): Hints {
  const outputs = structuresIn(results, 'ARTIFACT_OUTPUTS', { report, asWritten });
  const images = imagesIn(results, outputs, { report, asWritten });
  const inputs = structuresIn(results, 'ARTIFACT_INPUTS', { report, asWritten });
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
