import { markPrefix } from '../../model/marks.ts';
import type { ObjectMeta } from '../../tekton/meta.ts';
import { type Time, withShortFraction } from '../../tekton/time.ts';
import type { DigestSet, Digested } from '../digest-set.ts';
import { listOrAbsent, textOrAbsent, textsOrAbsent } from '../statement.ts';
import type { Material, Metadata } from './predicate.ts';

interface Timed {
  readonly startTime?: Time | undefined;
  readonly completionTime?: Time | undefined;
}

/** The metadata (payloads.md, 7.3). */
export function metadata(meta: ObjectMeta | undefined, { startTime, completionTime }: Timed = {}): Metadata {
  return {
    buildStartedOn: startTime && withShortFraction(startTime),
    buildFinishedOn: completionTime && withShortFraction(completionTime),
    completeness: { parameters: false, environment: false, materials: false },
    reproducible: meta?.labels?.get(`${markPrefix}reproducible`) === 'true',
  };
}

/** Materials as they are written; undefined when there are none. */
export function materials(merged: readonly Digested[]): readonly Material[] | undefined {
  return listOrAbsent(merged.map(material));
}

function material({ name, digest }: { readonly name: string; readonly digest: DigestSet }): Material {
  return { uri: textOrAbsent(name), digest: textsOrAbsent(digest) };
}
