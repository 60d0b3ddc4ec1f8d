import type { Artifact, Problem } from '../model/artifact.ts';
import { ChainsError } from '../model/errors.ts';
import type { Run } from '../model/run.ts';
import { artifactPair, pairsIn, structuresIn } from './hints.ts';
import { fullNameOf } from './image-reference.ts';
import { type FoundImage, firstOfEach, imagesIn } from './images.ts';
import { reportNearMisses } from './near-misses.ts';
import { imageResourcesOf } from './pipeline-resources.ts';
import { objectField } from './read.ts';
import { collectProblems, type Report } from './report.ts';
import { taskRunResults } from './results.ts';

/** What can be signed of a run, and what in it looks as if it could. */
export interface Extraction {
  /** The run itself, then its images (behaviour.md, “What is signed”). */
  readonly artifacts: readonly Artifact[];
  readonly problems: readonly Problem[];
  /** RUN_UNREADABLE when a part that names images has the wrong type; then there are no images. */
  readonly unreadable: ChainsError | undefined;
}

/** Finds the artifacts of a run: itself, and for a TaskRun the images that it built. Never throws for what a run holds. */
export function extract(run: Run): Extraction {
  const own: Artifact =
    run.kind === 'TaskRun'
      ? { kind: 'taskrun', run, key: `taskrun-${run.uid}`, fullKey: `tekton.dev-v1-TaskRun-${run.uid}` }
      : {
          kind: 'pipelinerun',
          run,
          key: `pipelinerun-${run.uid}`,
          fullKey: `tekton.dev-v1-PipelineRun-${run.uid}`,
        };
  if (run.kind === 'PipelineRun') return { artifacts: [own], problems: [], unreadable: undefined };
  const problems = collectProblems();
  try {
    const images = imagesOf(run, problems.report).map((one) => imageArtifact(run, one));
    return { artifacts: [own, ...images], problems: problems.all(), unreadable: undefined };
  } catch (error) {
    if (!(error instanceof ChainsError)) throw error;
    return { artifacts: [own], problems: problems.all(), unreadable: error };
  }
}

function imagesOf(run: Run, report: Report): readonly FoundImage[] {
  const status = objectField({ at: '', value: run.object }, 'status');
  const results = taskRunResults(status);
  const images = [...imagesIn(results, report), ...imageResourcesOf(status, report)];
  // These name no image to sign, but things for the provenance; malformed ones are reported whatever the format.
  pairsIn(results, artifactPair, report);
  structuresIn(results, 'ARTIFACT_INPUTS', report);
  reportNearMisses(results, report);
  return firstOfEach(images);
}

function imageArtifact(run: Run, { image, at }: FoundImage): Artifact {
  const hex = image.digest.slice('sha256:'.length);
  return { kind: 'oci', run, key: hex.slice(0, 12), fullKey: fullNameOf(image), image, source: at };
}
