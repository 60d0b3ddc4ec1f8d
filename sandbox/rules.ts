import { isDeepStrictEqual } from 'node:util';
import type { Json, JsonObject } from '../src/json.ts';
import type { Address } from './address.ts';
import { badRequest, invalid } from './failure.ts';
import type { Kind } from './kinds.ts';
import { listOf, metadataOf } from './values.ts';

/** An object may leave out name and namespace, but not contradict the address. @throws Failure 400 */
export function checkPlace(address: Address, metadata: JsonObject): void {
  const { name = address.name, namespace = address.namespace } = metadata;
  if (address.name !== '' && name !== address.name) {
    throw badRequest(
      `the name of the object (${String(name)}) does not match the name on the URL (${address.name})`,
    );
  }
  if (namespace !== address.namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
}

/** An object that is being deleted takes no new finalizers. @throws Failure 422 */
export function checkNewFinalizers(
  kind: Kind,
  name: string,
  before: Json | undefined,
  after: Json | undefined,
): void {
  const old = listOf(before);
  const added = listOf(after).filter((finalizer) => !old.includes(finalizer));
  if (added.length === 0) return;
  const why = 'no new finalizers can be added if the object is being deleted, found new finalizers';
  const message = `Forbidden: ${why} ${JSON.stringify(added)}`;
  throw invalid(kind, name, [{ reason: 'FieldValueForbidden', message, field: 'metadata.finalizers' }]);
}

/** Counts a change of anything but metadata and status, for kinds that have a generation. */
export function withGeneration(before: JsonObject, after: JsonObject): JsonObject {
  const generation = metadataOf(before)['generation'];
  if (typeof generation !== 'number') return after;
  const { metadata: _b, status: _s, ...old } = before;
  const { metadata: _a, status: _t, ...next } = after;
  if (isDeepStrictEqual(old, next)) return after;
  return { ...after, metadata: { ...metadataOf(after), generation: generation + 1 } };
}
