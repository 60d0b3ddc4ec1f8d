import { ChainsError } from '../errors.ts';
import { extract } from '../extract/index.ts';
import { type Json, member } from '../json.ts';
import { type Artifact, artifactKindOf, ownKeyOf, storageKeyOf } from '../model/artifact.ts';
import type { Hints } from '../model/evidence.ts';
import { fullNameOf } from '../model/image.ts';
import type { Run } from '../model/run.ts';
import type { Sought } from '../model/stored.ts';
import type { ContentChecks } from './checks.ts';
import { readJson } from './content.ts';
import { type Finding, no } from './finding.ts';
import type { ExistingRun } from './remake.ts';
import { logAddressOf, ownContent } from './run.ts';
import { hasUid, isStatement } from './statement.ts';

/** What is known of a run that the cluster no longer has. */
export type GoneRun = Pick<Run, 'kind' | 'namespace' | 'name' | 'uid'>;

/** A run that exists, or one that is gone. */
export type VerifiedSubject = ExistingRun | { readonly gone: GoneRun };

/** An artifact to look for in stores, and what its payload must say. */
export interface Wanted {
  readonly sought: Sought;
  readonly content: ContentChecks;
  /** Where the run says that a log has its signature. */
  readonly logAddress?: string | undefined;
}

/** What stores may have of a run: its own entry and its images, which are unknown for a run that is gone. */
export function wantedOf(subject: VerifiedSubject): {
  readonly own: Wanted;
  readonly images: readonly Sought[];
} {
  if ('gone' in subject) return { own: wantedOfGone(subject.gone), images: [] };
  const { run, taskRuns } = subject;
  const { artifacts } = extract(run, taskRuns, { stepResults: false, childResults: true });
  const key = ownKeyOf(run);
  const kind = artifactKindOf(run.kind);
  const named = namesIn(artifacts.find((one) => one.key === key));
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

/** What a run says it made: stores file provenance under the subjects of its statement. */
function namesIn(artifact: Artifact | undefined): Pick<Sought, 'images' | 'others'> {
  if (artifact === undefined || artifact.kind === 'oci' || artifact.evidence instanceof ChainsError)
    return { images: [], others: [] };
  const { evidence } = artifact;
  const { hints } = evidence;
  // Deep inspection and the results of steps add subjects.
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
 * Without the run there is no status to compare with, so that a payload must name the uid itself, which the signature covers.
 * Where it was stored proves nothing, since entries can be moved.
 */
function wantedOfGone(run: GoneRun): Wanted {
  const kind = artifactKindOf(run.kind);
  return {
    sought: { kind, run, key: ownKeyOf(run), images: [], others: [] },
    content: async (payload) => [['uid', namesUid(run, readJson(payload))]],
  };
}

function namesUid({ uid, kind }: GoneRun, payload: Json | undefined): Finding {
  const is = `the ${kind} is gone from the cluster, and`;
  if (payload === undefined) return no('the payload is not JSON');
  if (!isStatement(payload)) {
    return no(`${is} a status names no uid: nothing in it says that it is that of this very run`);
  }
  if (member(payload, 'predicateType') !== 'https://slsa.dev/provenance/v1') {
    return no(`${is} only provenance v1 names a uid: nothing in this says that it is that of this very run`);
  }
  return hasUid(
    uid,
    member(payload, 'predicate'),
    `the payload is the provenance of the run with this uid; ${is} its times and images can't be compared`,
  );
}
