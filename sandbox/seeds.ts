import { randomUUID } from 'node:crypto';
import type { JsonObject } from '../src/json.ts';
import { apiVersionOf, type Kind, kinds } from './kinds.ts';
import type { Address } from './address.ts';
import type { Objects } from './objects.ts';
import { contentOf, type Stored } from './storage.ts';
import { metadataOf, objectOf, timestamp } from './values.ts';

/** The sandbox's objects without HTTP: tests seed by it, and look. */
export class Seeds {
  readonly #objects: Objects;

  constructor(objects: Objects) {
    this.#objects = objects;
  }

  /**
   * Writes an object as it is, status, uid, deletionTimestamp and all, over one of its name if there is one; watchers see
   * it. Nothing is checked, and its fields get no owner.
   */
  put(object: JsonObject): JsonObject {
    const address = addressOf(object);
    const { apiVersion: _v, kind: _k, metadata: given, ...content } = object;
    const namespace = address.kind.namespaced ? { namespace: address.namespace } : {};
    const metadata = {
      uid: randomUUID(),
      creationTimestamp: timestamp(),
      ...objectOf(given),
      ...namespace,
    };
    return shown(address, this.#objects.storage.put(address.kind, { ...content, metadata }));
  }

  /** The object, or undefined; `kind` is as in an object's `kind`, in its preferred version. */
  get(kind: string, namespace: string, name: string): JsonObject | undefined {
    const address = addressOf({ kind, metadata: { namespace, name } });
    const key = namespace === '' ? name : `${namespace}/${name}`;
    const stored = this.#objects.storage.get(address.kind, key);
    return stored === undefined ? undefined : shown(address, stored);
  }

  /** All objects of a kind, by name. */
  list(kind: string): readonly JsonObject[] {
    const address = addressOf({ kind });
    const { storage } = this.#objects;
    return (storage.list(address.kind, storage.version) ?? []).map((stored) => shown(address, stored));
  }

  /** How many objects of a kind there are. */
  count(kind: string): number {
    return this.#objects.storage.count(addressOf({ kind }).kind);
  }

  /** Deletes as the API does: an object with finalizers is only marked. @throws Failure 404 */
  delete(kind: string, namespace: string, name: string): void {
    this.#objects.delete(addressOf({ kind, metadata: { namespace, name } }), {});
  }
}

function shown({ kind, version }: Address, stored: Stored): JsonObject {
  return { apiVersion: apiVersionOf(kind, version), kind: kind.kind, ...contentOf(stored) };
}

function addressOf(object: JsonObject): Address {
  const kind = kindOf(object);
  const version =
    kind.versions.find((name) => apiVersionOf(kind, name) === object['apiVersion']) ?? kind.versions[0] ?? '';
  const metadata = metadataOf(object);
  const namespace = kind.namespaced ? String(metadata['namespace'] ?? 'default') : '';
  return { kind, version, namespace, name: String(metadata['name'] ?? ''), subresource: '' };
}

function kindOf(object: JsonObject): Kind {
  const kind = kinds.find((entry) => entry.kind === object['kind']);
  if (kind === undefined) throw new TypeError(`the sandbox has no kind ${String(object['kind'])}`);
  return kind;
}
