import { createHash } from 'node:crypto';
import { at, listAt } from '../json.ts';
import type { Run } from '../model/run.ts';

/** The members that one member works with: these names alone decide what it signs. */
export interface View {
  readonly member: string;
  /** Names of members, itself included once it works. */
  readonly members: readonly string[];
}

/**
 * The uid by which a run is given to a member: that of its PipelineRun where it belongs to one, so that a PipelineRun
 * and its TaskRuns are one member's.
 */
export function familyOf(run: Run): string {
  const owner = listAt(run.object, 'metadata', 'ownerReferences').find(
    (one) => at(one, 'kind') === 'PipelineRun' && String(at(one, 'apiVersion')).startsWith('tekton.dev/'),
  );
  const uid = at(owner, 'uid');
  return typeof uid === 'string' && uid !== '' ? uid : run.uid;
}

/** The member whose a family of runs is, by rendezvous hashing: when a member comes or goes, only its share moves. */
export function memberFor(family: string, members: readonly string[]): string | undefined {
  if (members.length < 2) return members[0];
  let [best, highest]: [string | undefined, string] = [undefined, ''];
  for (const member of members) {
    const weight = createHash('sha256').update(`${member} ${family}`).digest('hex');
    if (best === undefined || weight > highest) [best, highest] = [member, weight];
  }
  return best;
}

/** Whether a family is this member's by its own view, and no other member's by the view that it works with. */
export function isOurs(family: string, ours: View, others: Iterable<View>): boolean {
  if (memberFor(family, ours.members) !== ours.member) return false;
  const own = ours.members.join(',');
  // Nearly always all members have the same view, so that there is nothing to compute.
  for (const { member, members } of others)
    if (members.join(',') !== own && memberFor(family, members) === member) return false;
  return true;
}
