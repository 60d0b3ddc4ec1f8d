import { quote } from '../text.ts';
import { at, type Json, member, textIn } from '../json.ts';
import { artifactKindOf, ownKeyOf } from '../model/artifact.ts';
import type { Run } from '../model/run.ts';
import type { ContentChecks } from './checks.ts';
import { readJson } from './content.ts';
import { type Finding, no } from './judgement.ts';
import { isStatement } from './statement.ts';
import type { Wanted } from './stored.ts';

/** A run that the cluster no longer has, by what is known of it. */
export type GoneRun = Pick<Run, 'kind' | 'namespace' | 'name' | 'uid'>;

/** What a store may have of a run that is gone. What it built isn't known, so that only its names lead to it. */
export function wantedOfGone(run: GoneRun): Wanted {
  const kind = artifactKindOf(run.kind);
  const key = ownKeyOf(run);
  return { sought: { kind, run, key, images: [], others: [] }, content: goneContent(run) };
}

/**
 * Without the run there is no status, no time and no result to compare with: a payload counts only where it names the uid
 * itself: the signature covers it. Where it was stored says nothing, since entries can be moved.
 */
function goneContent({ uid, kind }: GoneRun): ContentChecks {
  return async (payload) => [['uid', namesUid(uid, kind, readJson(payload)?.json)]];
}

function namesUid(uid: string, kind: Run['kind'], payload: Json | undefined): Finding {
  const is = `the ${kind} is gone from the cluster, and`;
  if (payload === undefined) return no('the payload is not JSON');
  if (!isStatement(payload)) {
    return no(`${is} a status names no uid: nothing in it says that it is that of this very run`);
  }
  if (member(payload, 'predicateType') !== 'https://slsa.dev/provenance/v1') {
    return no(`${is} only provenance v1 names a uid: nothing in this says that it is that of this very run`);
  }
  const named = at(payload, 'predicate', 'runDetails', 'metadata', 'invocationId');
  return named === uid
    ? {
        ok: true,
        reason: `the payload is the provenance of the run with this uid; ${is} its times and images can't be compared`,
      }
    : no(`the provenance is that of the run with uid ${quote(textIn(named))}`);
}
