import { extract } from '../extract/index.ts';
import { type Artifact, artifactKindOf, ownKeyOf, storageKeyOf } from '../model/artifact.ts';
import { ChainsError } from '../errors.ts';
import type { Hints } from '../model/evidence.ts';
import { fullNameOf } from '../model/image.ts';
import type { JsonObject } from '../json.ts';
import type { Run } from '../model/run.ts';
import type { StoredPlace, Sought } from '../model/stored.ts';
import {
  type Checked,
  checkStored,
  type ContentChecks,
  isGood,
  meeting,
  type VerificationOptions,
} from './checks.ts';
import { namesImageOf } from './content.ts';
import { logAddressOf, ownContent } from './run.ts';

/** An artifact that is looked for, and what its payload must say. */
export interface Wanted {
  readonly sought: Sought;
  readonly content: ContentChecks;
  /** Where the run says that a log has its signature. */
  readonly logAddress?: string | undefined;
}

/**
 * What stores may have of a run: the run itself, then its images.
 * @param taskRuns those of a PipelineRun, whose results its provenance may name
 */
export function wantedOf(
  run: Run,
  taskRuns: readonly JsonObject[],
): { readonly own: Wanted; readonly images: readonly Sought[] } {
  const { artifacts } = extract(run, taskRuns, { stepResults: false, childResults: true });
  const key = ownKeyOf(run);
  const kind = artifactKindOf(run.kind);
  const named = hintsOf(artifacts.find((one) => one.key === key));
  return {
    own: {
      sought: { kind, run, key, ...named },
      content: ownContent({ run, taskRuns }, key),
      logAddress: logAddressOf(run),
    },
    images: artifacts.flatMap((one) =>
      one.kind === 'oci'
        ? [{ kind: one.kind, run, key: storageKeyOf(one), images: [one.fullKey], others: [] }]
        : [],
    ),
  };
}

/** What a run says it made; stores file provenance under the subjects of its statement. */
function hintsOf(artifact: Artifact | undefined): Pick<Sought, 'images' | 'others'> {
  if (artifact === undefined || artifact.kind === 'oci' || artifact.evidence instanceof ChainsError)
    return { images: [], others: [] };
  const { evidence } = artifact;
  const { hints } = evidence;
  // Deep inspection and the results of steps make more of them subjects.
  const taskRuns = 'steps' in evidence ? [evidence] : (evidence.tasks ?? []).flatMap((task) => task.taskRuns);
  const inner = taskRuns.flatMap((one) => [one.hints, ...one.steps.map((step) => step.hints)]);
  const images = imagesIn(hints);
  const others = [...inner.flatMap(imagesIn), ...[hints, ...inner].flatMap(outputsIn)];
  return {
    images: [...new Set(images)],
    others: [...new Set(others)].filter((name) => !images.includes(name)),
  };
}

function imagesIn({ images }: Hints): readonly string[] {
  return images.map(({ image }) => fullNameOf(image));
}

function outputsIn({ artifacts, outputs }: Hints): readonly string[] {
  return [...artifacts, ...outputs].map(({ uri, digest }) => `${uri}@${digest}`);
}

/**
 * What a place must hold that a store has for these images: one place for those with the same key, in some stores.
 */
export function imageContent(run: Run, { key }: Sought, fullNames: readonly string[]): ContentChecks {
  const [only, ...more] = fullNames;
  const name = only === undefined || more.length > 0 ? key : only;
  return async (payload) => [['image', namesImageOf(run, name, payload)]];
}

/**
 * Checks what a store gave back of one artifact. In each place one entry that holds is enough, since others may put theirs
 * next to it; only what holds is reported then.
 * @param store what the checks' names begin with
 */
export async function checkFound(
  store: string,
  { sought: { key }, content, logAddress }: Wanted,
  found: readonly StoredPlace[],
  options: VerificationOptions,
): Promise<readonly Checked[]> {
  const name = `${store} ${key}`;
  const places = found.map(async ({ place, entries, flaw }): Promise<readonly Checked[]> => {
    if (entries.length === 0) {
      const reason = flaw === undefined ? `nothing is stored at ${place}` : `${place}: ${flaw}`;
      return [failed(`${name} stored`, reason)];
    }
    const checked = await Promise.all(
      entries.map((entry) => checkStored({ ...entry, name, logAddress }, options, content)),
    );
    const preferred = [meeting(checked, options.expected), checked.filter(isGood), checked];
    return preferred.find((some) => some.length > 0) ?? [];
  });
  return (await Promise.all(places)).flat();
}

/** A check that doesn't hold. */
export function failed(name: string, reason: string): Checked {
  return { checks: [{ name, ok: false, reason }] };
}
