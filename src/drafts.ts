import { caught, type ChainsError } from './errors.ts';
import type { Config, FormatName } from './config/keys.ts';
import { depthFor, type Plan } from './config/plan.ts';
import { extract } from './extract/index.ts';
import type { Format } from './format/format.ts';
import type { JsonObject } from './json.ts';
import type { Artifact, ArtifactKind } from './model/artifact.ts';
import { collectProblems, type Problem, type Report } from './model/problem.ts';
import type { Run } from './model/run.ts';
import type { Payload } from './model/signature.ts';

/** What would be signed: an artifact with its plan and its payload, or why no payload can be made. */
export interface Draft {
  readonly artifact: Artifact;
  readonly plan: Plan;
  readonly payload: Payload | ChainsError;
}

/** The drafts of a run, and what was noticed while they were made. */
export interface Drafts {
  readonly drafts: readonly Draft[];
  readonly problems: readonly Problem[];
}

/** How drafts are made. */
export interface DraftOptions {
  readonly config: Config;
  readonly plansOf: (config: Config, kind: ArtifactKind) => readonly Plan[];
  readonly format: (name: FormatName) => Promise<Format>;
}

/** extract → format: each artifact of a run in each of its plans. @param taskRuns those of a PipelineRun, in order */
export async function draftsOf(
  run: Run,
  taskRuns: readonly JsonObject[] | undefined,
  { config, plansOf, format }: DraftOptions,
): Promise<Drafts> {
  const { artifacts, problems, unreadable } = extract(run, taskRuns, depthFor(config, run));
  const noticed = collectProblems();
  const { report } = noticed;
  const wanted = withinLimit(artifacts, config['limits.images-per-run'], report);
  const drafts = wanted.flatMap((artifact) =>
    plansOf(config, artifact.kind).map(async (plan): Promise<Draft> => {
      const options = { config, name: plan.format, bundled: plan.bundled, report };
      const payload =
        unreadable ?? (await caught(async () => (await format(plan.format))(artifact, options)));
      return { artifact, plan, payload };
    }),
  );
  return { drafts: await Promise.all(drafts), problems: [...problems, ...noticed.all()] };
}

/** The artifacts without the images beyond the limit, whose number is reported. */
function withinLimit(artifacts: readonly Artifact[], most: number, report: Report): readonly Artifact[] {
  const images = artifacts.filter(({ kind }) => kind === 'oci');
  const beyond = new Set(images.slice(most));
  if (beyond.size > 0) {
    report(
      'status.results',
      `the run names ${images.length} images, of which ${beyond.size} are not signed: limits.images-per-run is ${most}; raise it, or build fewer images in one TaskRun`,
    );
  }
  return artifacts.filter((artifact) => !beyond.has(artifact));
}
