import { ourManager } from '../model/marks.ts';
import { ChainsError } from '../errors.ts';
import { isJsonObject, type JsonObject, member } from '../json.ts';
import type { Connection } from './live-connection.ts';
import {
  type ApiRequest,
  describe,
  groupPath,
  type ObjectName,
  one,
  type Resource,
  several,
} from './call.ts';
import { lines, parseWatchEvent, type WatchEvent } from './watch-event.ts';
import { type ApiCall, Transport } from './transport.ts';

export type { ApiCall } from './transport.ts';
export type { WatchEvent } from './watch-event.ts';

/** One page of a list; all pages of a list are one snapshot and name the same resourceVersion. */
export interface ListPage {
  readonly items: readonly JsonObject[];
  readonly resourceVersion: string;
  /** Length of the page in UTF-8. */
  readonly bytes: number;
  /** The token that continues the list after this page; undefined on the last one. */
  readonly next: string | undefined;
}

/** What to list. */
export interface ListQuery {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Items a page. */
  readonly limit?: number | undefined;
  /** Asks for PartialObjectMetadata: no spec, no status. */
  readonly metadataOnly?: boolean | undefined;
  /** A page's `next`, to go on with a list that broke off. */
  readonly after?: string | undefined;
}

/** What to watch, and from where on. */
export interface WatchQuery {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly resourceVersion: string;
  /** Called once the server has accepted the watch. */
  readonly opened?: (() => void) | undefined;
}

/** The field manager of everything that we write. */
export const fieldManager = ourManager;

const partial = 'application/json;g=meta.k8s.io;v=v1;as=PartialObjectMetadata';

/**
 * The Kubernetes API over one {@link Connection}. Every failure is a ChainsError with the server's message, on one line:
 * 409 CLUSTER_CONFLICT; no answer, 429 and 5xx CLUSTER_UNAVAILABLE (with `retryAfter` where the server said so); any other
 * 4xx CLUSTER_REFUSED. Only an abort rejects with the signal's own reason. After a 401 or an unknown CA, credential
 * and CA are read again and the call is tried once more.
 */
export class Rest {
  readonly #connection: Connection;
  readonly #transport: Transport;

  /** @param options `timeout`: milliseconds to wait for an answer, and between two pieces of it; 30 seconds by default. */
  constructor(connection: Connection, options: { onCall?: (call: ApiCall) => void; timeout?: number } = {}) {
    this.#connection = connection;
    this.#transport = new Transport(connection, options.onCall, options.timeout ?? 30_000);
  }

  /** Reads one object. */
  get(resource: Resource, name: ObjectName, signal?: AbortSignal): Promise<JsonObject> {
    return this.#object({ ...one('GET', 'get', resource, name), signal });
  }

  /** Reads a list page by page, each only when it is asked for. A token that is too old fails with status 410. */
  async *pages(resource: Resource, query: ListQuery, signal?: AbortSignal): AsyncGenerator<ListPage, void> {
    let { after } = query;
    do {
      const page = await this.page(resource, { ...query, after }, signal);
      after = page.next;
      yield page;
    } while (after !== undefined);
  }

  /** Reads one page of a list. */
  async page(resource: Resource, query: ListQuery, signal?: AbortSignal): Promise<ListPage> {
    const { namespace, labelSelector, fieldSelector, limit, metadataOnly, after } = query;
    const call: ApiRequest = {
      ...several('GET', 'list', resource, namespace),
      query: { labelSelector, fieldSelector, limit: limit?.toString(), continue: after },
      ...(metadataOnly === true ? { accept: `${partial}List` } : {}),
      signal,
    };
    const { object, bytes } = await this.#transport.json(call);
    const { items, metadata } = object;
    const version = member(metadata, 'resourceVersion');
    const next = member(metadata, 'continue');
    if (typeof version !== 'string' || !(items === null || Array.isArray(items))) {
      throw this.#transport.failure(call, new Error('the answer is not a list'));
    }
    return {
      items: (items ?? []).filter(isJsonObject),
      resourceVersion: version,
      bytes,
      next: typeof next === 'string' && next !== '' ? next : undefined,
    };
  }

  /** Creates an object. */
  create(
    resource: Resource,
    namespace: string,
    object: JsonObject,
    signal?: AbortSignal,
  ): Promise<JsonObject> {
    return this.#object({
      ...several('POST', 'create', resource, namespace),
      query: { fieldManager },
      body: object,
      signal,
    });
  }

  /** Creates what belongs to one object, such as a service account's token; returns it as the server made it. */
  createOf(
    { resource, subresource }: { readonly resource: Resource; readonly subresource: string },
    name: ObjectName,
    object: JsonObject,
    signal?: AbortSignal,
  ): Promise<JsonObject> {
    const target = one('POST', 'create', resource, name);
    return this.#object({
      ...target,
      resource: `${target.resource}/${subresource}`,
      about: `${subresource} of ${target.about}`,
      path: `${target.path}/${subresource}`,
      body: object,
      signal,
    });
  }

  /**
   * Server-side apply, by force, as {@link fieldManager}; the body has apiVersion, kind, metadata.uid and
   * metadata.resourceVersion. Returns the object's metadata only.
   */
  apply(resource: Resource, name: ObjectName, body: JsonObject, signal?: AbortSignal): Promise<JsonObject> {
    return this.#object({
      ...one('PATCH', 'apply', resource, name),
      query: { fieldManager, force: 'true' },
      contentType: 'application/apply-patch+yaml',
      accept: partial,
      body,
      signal,
    });
  }

  /** JSON merge patch (RFC 7386). Returns the object's metadata only. */
  mergePatch(
    resource: Resource,
    name: ObjectName,
    body: JsonObject,
    signal?: AbortSignal,
  ): Promise<JsonObject> {
    return this.#object({
      ...one('PATCH', 'patch', resource, name),
      query: { fieldManager },
      contentType: 'application/merge-patch+json',
      accept: partial,
      body,
      signal,
    });
  }

  /** Deletes one object, or asks for it where finalizers hold it; refused (409) if it is another one. */
  async delete(
    resource: Resource,
    name: ObjectName,
    preconditions: { readonly uid?: string; readonly resourceVersion?: string } = {},
    signal?: AbortSignal,
  ): Promise<void> {
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions };
    await this.#object({ ...one('DELETE', 'delete', resource, name), body, signal });
  }

  /**
   * Changes from a resourceVersion on, bookmarks included, until the server ends the watch (5 to 10 minutes, at random),
   * the consumer stops or `signal` aborts. An ERROR event is thrown as the error of its status, so 410 as CLUSTER_REFUSED.
   */
  async *watch(
    resource: Resource,
    query: WatchQuery,
    signal?: AbortSignal,
  ): AsyncGenerator<WatchEvent, void> {
    const { namespace, labelSelector, fieldSelector, resourceVersion } = query;
    const timeoutSeconds = String(300 + Math.floor(Math.random() * 300));
    const call: ApiRequest = {
      ...several('GET', 'watch', resource, namespace),
      query: {
        watch: 'true',
        allowWatchBookmarks: 'true',
        timeoutSeconds,
        resourceVersion,
        labelSelector,
        fieldSelector,
      },
      endless: true,
      signal,
    };
    const answer = await this.#transport.send(call);
    query.opened?.();
    try {
      for await (const line of lines(answer.body)) yield parseWatchEvent(line, describe(call));
    } catch (error) {
      throw this.#transport.failure(call, error);
    }
  }

  /** Whether the cluster serves this resource in this version. */
  async serves(resource: Resource, signal?: AbortSignal): Promise<boolean> {
    const { group, version, plural } = resource;
    const path = groupPath(group, version);
    const call = { method: 'GET', verb: 'discover', resource: group, about: path, path, signal } as const;
    const resources = member(await unlessMissing(this.#object(call)), 'resources');
    return Array.isArray(resources) && resources.some((entry) => member(entry, 'name') === plural);
  }

  /** Closes the connection. */
  close(): Promise<void> {
    return this.#connection.close();
  }

  async #object(call: ApiRequest): Promise<JsonObject> {
    return (await this.#transport.json(call)).object;
  }
}

/** True for the error of an object, resource or group that isn't there. */
export function isNotFound(error: unknown): error is ChainsError {
  return error instanceof ChainsError && error.status === 404;
}

/** What a call answers; undefined where the object that it is about is not there. */
export async function unlessMissing<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
