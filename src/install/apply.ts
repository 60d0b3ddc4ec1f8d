import { isDeepStrictEqual } from 'node:util';
import { ChainsError } from '../errors.ts';
import { at, type JsonObject } from '../json.ts';
import { type Rest, unlessMissing } from '../kubernetes/rest.ts';
import { currentOf, placeOf, titleOf } from './resources.ts';

/** What became of an object: applied, or left as it was, since it is the user's to change. */
export type Applied = 'applied' | 'left as it is';

/**
 * Server-side apply of one object of `deploy/`. A ConfigMap that is there is left alone, since it is what users set; a Secret
 * keeps its data, which the manifest doesn't state.
 */
export async function applyObject(rest: Rest, object: JsonObject): Promise<Applied> {
  if (object['kind'] === 'ConfigMap' && (await currentOf(rest, object)) !== undefined) return 'left as it is';
  const { resource, name } = placeOf(object);
  await rest.apply(resource, name, object);
  return 'applied';
}

/** Fails, before anything is written, where a Deployment of the same name is another program's. */
export async function refuseAnotherProgram(rest: Rest, objects: readonly JsonObject[]): Promise<void> {
  for (const object of objects.filter(({ kind }) => kind === 'Deployment')) {
    const current = await currentOf(rest, object);
    const [theirs, ours] = [current, object].map((one) => at(one, 'spec', 'selector', 'matchLabels'));
    if (current === undefined || isDeepStrictEqual(theirs, ours)) continue;
    throw new ChainsError(
      'USAGE',
      `the namespace has a ${titleOf(object)} already that was not made by this program; nothing was changed`,
      {
        hint: 'Read docs/migrating.md, remove that Deployment, then run this again; or choose another namespace.',
      },
    );
  }
}

/** Deletes an object; says whether it was there. */
export async function deleteObject(rest: Rest, object: JsonObject): Promise<boolean> {
  const { resource, name } = placeOf(object);
  return (await unlessMissing(rest.delete(resource, name).then(() => true))) ?? false;
}
