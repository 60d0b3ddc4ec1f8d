import { randomInt, randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { at, isJsonObject, type Json, type JsonObject } from '../src/json.ts';
import { type Address, keyOf } from './address.ts';
import { readObject, validate, withDefaults } from './admission.ts';
import {
  alreadyExists,
  badRequest,
  conflict,
  Failure,
  invalid,
  notFound,
  outdated,
  wrongValue,
} from './failure.ts';
import { apiVersionOf, type Kind, namespaceKind } from './kinds.ts';
import { type Author, apply, recordUpdate } from './ownership.ts';
import { checkNewFinalizers, checkPlace, withGeneration } from './rules.ts';
import { contentOf, type Storage, type Stored } from './storage.ts';
import { metadataOf, present, timestamp } from './values.ts';

/** How a write is to be made. */
export interface WriteOptions {
  /** The field manager. */
  readonly manager: string;
  readonly dryRun?: boolean;
  /** Refuse unknown fields. */
  readonly strict?: boolean;
}

/** What a write left behind: the object, possibly not stored any more. */
export interface Written {
  readonly object: JsonObject;
  readonly created: boolean;
}

/** Says in `managedFields` whose the fields of an object are that was just written. */
type Own = (after: JsonObject, time: string) => JsonObject;

const letters = 'bcdfghjklmnpqrstvwxz2456789';
const isNamespace = (kind: Kind) => kind === namespaceKind;

function author(address: Address, options: WriteOptions, operation: Author['operation'] = 'Update'): Author {
  const { kind, version, subresource } = address;
  return { manager: options.manager, operation, apiVersion: apiVersionOf(kind, version), subresource };
}

/** What the API does to objects. All methods throw {@link Failure} for what is refused. */
export class Objects {
  readonly storage: Storage;

  constructor(storage: Storage) {
    this.storage = storage;
  }

  /** The object at an address. */
  get(address: Address): Stored {
    const stored = this.storage.get(address.kind, keyOf(address));
    if (stored === undefined) throw notFound(address.kind, address.name);
    return stored;
  }

  /** POST. */
  create(address: Address, body: unknown, options: WriteOptions): Written {
    const { kind, version } = address;
    const read = readObject(kind, version, body, options.strict);
    if (read.metadata['resourceVersion'] !== undefined) {
      throw new Failure(500, '', 'resourceVersion should not be set on objects to be created');
    }
    return this.#insert(address, read, options, (after, time) =>
      recordUpdate(kind, undefined, after, author({ ...address, subresource: '' }, options), time),
    );
  }

  #insert(address: Address, content: JsonObject, options: WriteOptions, own: Own): Written {
    const { kind, namespace } = address;
    const { generateName, labels, annotations, ownerReferences, finalizers, ...given } = metadataOf(content);
    checkPlace(address, given);
    if (namespace !== '') this.#checkNamespace(address);
    const suffix = Array.from({ length: 5 }, () => letters[randomInt(letters.length)]).join('');
    const name = String(
      given['name'] ?? (generateName === undefined ? '' : `${String(generateName)}${suffix}`),
    );
    if (name === '') {
      const message = 'Required value: name or generateName is required';
      throw invalid(kind, '', [{ reason: 'FieldValueRequired', message, field: 'metadata.name' }]);
    }
    if (this.storage.get(kind, keyOf({ namespace, name })) !== undefined) throw alreadyExists(kind, name);
    const time = timestamp();
    const metadata = present({
      ...{ name, generateName, namespace: namespace === '' ? undefined : namespace, uid: randomUUID() },
      ...{ generation: kind.custom ? 1 : undefined, creationTimestamp: time },
      ...{ labels, annotations, ownerReferences, finalizers },
    });
    const status = kind.custom ? undefined : content['status'];
    const created = withDefaults(kind, present({ ...content, metadata, status }));
    validate(kind, created);
    const owned = own(created, time);
    return { object: options.dryRun ? owned : contentOf(this.storage.put(kind, owned)), created: true };
  }

  #checkNamespace({ kind, namespace, name }: Address): void {
    const home = this.storage.get(namespaceKind, namespace);
    if (home === undefined) throw notFound(namespaceKind, namespace);
    if (at(contentOf(home), 'status', 'phase') !== 'Terminating') return;
    const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
    const causes = [{ reason: 'NamespaceTerminating', message: why, field: 'metadata.namespace' }];
    throw new Failure(403, 'Forbidden', `${kind.plural} "${name}" is forbidden: ${why}`, { causes });
  }

  /** PUT. */
  replace(address: Address, body: unknown, options: WriteOptions): Written {
    const { kind, version, name } = address;
    const read = readObject(kind, version, body, options.strict);
    if (kind.createdByPut && this.storage.get(kind, keyOf(address)) === undefined) {
      return this.create(address, body, options);
    }
    const { uid, resourceVersion } = read.metadata;
    const stored = this.get(address);
    if (resourceVersion === undefined && (kind.custom || kind.group !== '')) {
      throw invalid(kind, name, [
        wrongValue('metadata.resourceVersion', 0, 'must be specified for an update'),
      ]);
    }
    if ((uid ?? stored.uid) !== stored.uid) {
      throw conflict(kind, name, `UID in precondition: ${String(uid)}, UID in object meta: ${stored.uid}`);
    }
    return this.#update(address, read, options);
  }

  /** Merge, JSON and strategic patches: `change` makes the new object out of the old one, both with kind and version. */
  patch(address: Address, change: (before: JsonObject) => Json, options: WriteOptions): Written {
    const { kind, version } = address;
    const before = contentOf(this.get(address));
    const patched = change({ apiVersion: apiVersionOf(kind, version), kind: kind.kind, ...before });
    return this.#update(address, readObject(kind, version, patched, options.strict), options);
  }

  /** Server-side apply. */
  apply(address: Address, body: unknown, options: WriteOptions & { readonly force: boolean }): Written {
    const { kind, version, name, subresource } = address;
    const stated = isJsonObject(body) && body['apiVersion'] !== undefined && body['kind'] !== undefined;
    if (!stated) throw badRequest('invalid object type: /, Kind=');
    if (at(body, 'metadata', 'managedFields') !== undefined)
      throw badRequest('metadata.managedFields must be nil');
    const read = readObject(kind, version, body, options.strict);
    const { labels: _l, annotations: _a, ownerReferences: _o, finalizers: _f, ...identity } = read.metadata;
    const { status, ...main } = read;
    const part = subresource === 'status' ? present({ metadata: identity, status }) : main;
    const intent = kind.custom ? part : read;
    const time = timestamp();
    const how = { force: options.force, time };
    const by = author(address, options, 'Apply');
    const stored = this.storage.get(kind, keyOf(address));
    if (stored !== undefined) {
      const applied = apply(kind, contentOf(stored), intent, by, how);
      const managedFields = at(applied, 'metadata', 'managedFields');
      return this.#update(address, applied, options, (after) => {
        return { ...after, metadata: present({ ...metadataOf(after), managedFields }) };
      });
    }
    const { uid } = identity;
    const gone = `uid mismatch: the provided object specified uid ${String(uid)}, and no existing object was found`;
    if (uid !== undefined) throw conflict(kind, name, gone);
    if (subresource !== '') throw notFound(kind, name);
    if (identity['name'] === undefined)
      throw badRequest(`the name of the object (${name} based on URL) must be provided`);
    return this.#insert(address, intent, options, (after) => apply(kind, undefined, after, by, how));
  }

  #update(address: Address, candidate: JsonObject, options: WriteOptions, own?: Own): Written {
    const { kind, name, subresource } = address;
    const stored = this.get(address);
    const before = contentOf(stored);
    const old = metadataOf(before);
    const given = metadataOf(candidate);
    checkPlace(address, given);
    if ((given['uid'] ?? stored.uid) !== stored.uid) {
      throw invalid(kind, name, [wrongValue('metadata.uid', given['uid'], 'field is immutable')]);
    }
    if (Number(given['resourceVersion'] ?? stored.version) !== stored.version) throw outdated(kind, name);
    const { labels, annotations, ownerReferences, finalizers } = given;
    const metadata = present({ ...old, labels, annotations, ownerReferences, finalizers });
    const main = { ...candidate, metadata, ...(kind.custom ? { status: before['status'] } : {}) };
    const whole = subresource === 'status' ? { ...before, status: candidate['status'] } : main;
    const next = withDefaults(kind, present(whole));
    const deleting = old['deletionTimestamp'] !== undefined;
    if (deleting) checkNewFinalizers(kind, name, old['finalizers'], at(next, 'metadata', 'finalizers'));
    validate(kind, next);
    const time = timestamp();
    const owned = own?.(next, time) ?? recordUpdate(kind, before, next, author(address, options), time);
    if (isDeepStrictEqual(owned, before)) return { object: before, created: false };
    const after = withGeneration(before, owned);
    if (options.dryRun) return { object: after, created: false };
    if (deleting && at(after, 'metadata', 'finalizers') === undefined && !isNamespace(kind)) {
      this.storage.remove(kind, stored.key);
      return { object: after, created: false };
    }
    return { object: contentOf(this.storage.put(kind, after)), created: false };
  }

  /** DELETE: gone at once, or marked for deletion while there are finalizers. Returns the object, and whether it is gone. */
  delete(address: Address, options: unknown): { readonly object: JsonObject; readonly gone: boolean } {
    const { kind, name } = address;
    const stored = this.get(address);
    const content = contentOf(stored);
    for (const [field, what, actual] of [
      ['uid', 'UID', stored.uid],
      ['resourceVersion', 'ResourceVersion', String(stored.version)],
    ] as const) {
      const wanted = at(options, 'preconditions', field) ?? actual;
      const why = `the ${what} in the precondition (${String(wanted)}) does not match the ${what} in record (${actual})`;
      if (wanted !== actual) throw conflict({ ...kind, plural: kind.kind }, name, why);
    }
    const dry = at(options, 'dryRun') !== undefined;
    const { finalizers, deletionTimestamp, generation, ...rest } = metadataOf(content);
    if (finalizers === undefined && !isNamespace(kind)) {
      if (!dry) this.storage.remove(kind, stored.key);
      return { object: content, gone: true };
    }
    if (deletionTimestamp !== undefined) return { object: content, gone: false };
    const metadata = present({
      ...{ ...rest, finalizers, deletionTimestamp: timestamp() },
      deletionGracePeriodSeconds: isNamespace(kind) ? undefined : 0,
      generation: typeof generation === 'number' ? generation + 1 : undefined,
    });
    const phase = isNamespace(kind) ? { status: { phase: 'Terminating' } } : {};
    const after = { ...content, metadata, ...phase };
    return { object: dry ? after : contentOf(this.storage.put(kind, after)), gone: false };
  }
}
