import { ChainsError } from '../errors.ts';
import { at, type JsonObject } from '../json.ts';
import { Pauses } from './pauses.ts';
import { type Resource, resourceName } from './call.ts';
import type { ListPage, Rest, WatchEvent } from './rest.ts';
import { watchUntilSilent } from './watch-until-silent.ts';

/** What {@link reflect} follows. */
export interface Reflected {
  readonly resource: Resource;
  /** All namespaces when absent. */
  readonly namespace?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Label selector of the list. */
  readonly listSelector?: string | undefined;
  /** Label selector of the watch: without one, it takes everything. */
  readonly watchSelector?: string | undefined;
  /** Items on the first page of a list; the others are as long as fits `pageBytes`. */
  readonly pageSize?: number | undefined;
  /** Milliseconds without any event after which a watch is given up; 90 seconds by default. */
  readonly silence?: number | undefined;
}

/** Receives what {@link reflect} sees. */
export interface Observer {
  /**
   * An object that exists, or did when the list was made; the same state may come more than once.
   * @param bytes its length in UTF-8; of a listed one, the average of its page
   */
  seen(object: JsonObject, bytes: number): void;
  /** An object that was deleted. One that was deleted while there was no watch is not reported. */
  gone(object: JsonObject): void;
  /** Once: the first page has come, and the watch begins. */
  begun?(): void;
  /** Once: all pages of the first list have been read. */
  synced(): void;
  /** All pages of a later list have been read: what was not seen in it may have been deleted unnoticed. */
  relisted?(): void;
  /** Awaited before each further list page. */
  room?(): Promise<void>;
  /** Each failure; it is tried again. */
  trouble?(error: ChainsError): void;
  /** It works again after trouble. */
  well?(): void;
}

/**
 * Follows a resource until `signal` aborts: lists it page by page and watches from the list's resourceVersion on. The first
 * page gives that already, so the watch runs while the other pages are read; what the watch has reported is left out
 * of those, since they are older. Nothing else of what was seen is kept.
 *
 * All failures are tried again, after pauses of up to eight seconds (full jitter) and of what Retry-After asks for. A watch
 * that breaks goes on from its last resourceVersion; a new list is made only when the server says that this is too old.
 * Rejects only with what the observer throws.
 */
export function reflect(rest: Rest, what: Reflected, to: Observer, signal: AbortSignal): Promise<void> {
  return new Reflection(rest, what, to).run(signal);
}

/** A watch that lives as long as this works, even when nothing happens; one that doesn't is not resumed at once. */
const healthyAfter = 1_000;

/** Items on the first page, of which the length is not known yet. */
const firstPage = 50;

/** Bytes that a page should have: what is listed is in memory as text and as objects. */
const pageBytes = 512 << 10;

type Phase = 'list' | 'watch';

/** Wraps what the observer threw, so that it isn't handled as a failure of the API. */
class Thrown extends Error {}

class Reflection {
  readonly #rest: Rest;
  readonly #what: Reflected;
  readonly #to: Observer;
  readonly #ill = new Set<Phase>();
  readonly #watchPauses = new Pauses();
  /** What the watch has reported during the current listing; undefined when there is none. */
  #overtaken: Set<string> | undefined;
  #synced = false;

  constructor(rest: Rest, what: Reflected, to: Observer) {
    this.#rest = rest;
    this.#what = what;
    this.#to = to;
  }

  async run(signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted) await this.#round(signal);
    } catch (error) {
      throw error instanceof Thrown ? error.cause : error;
    }
  }

  /** One list and the watch from it, until only a new list can help. */
  async #round(signal: AbortSignal): Promise<void> {
    const ended = new AbortController();
    const during = AbortSignal.any([signal, ended.signal]);
    let watching: Promise<void> | undefined;
    this.#overtaken = new Set();
    try {
      for await (const page of this.#pages(during)) {
        if (watching === undefined && !this.#synced) this.#to.begun?.();
        this.#report(page);
        watching ??= this.#watch(page.resourceVersion, during).finally(() => ended.abort());
        // It is awaited below; until then a failure is not an unhandled one.
        watching.catch(() => undefined);
      }
      this.#overtaken = undefined;
      if (!during.aborted) this.#listed();
    } catch (error) {
      ended.abort();
      throw error;
    } finally {
      await watching;
    }
  }

  #listed(): void {
    if (this.#synced) this.#to.relisted?.();
    else this.#to.synced();
    this.#synced = true;
  }

  #report(page: ListPage): void {
    const bytes = Math.ceil(page.bytes / Math.max(page.items.length, 1));
    for (const object of page.items) {
      if (this.#overtaken?.has(keyOf(object)) !== true) this.#to.seen(object, bytes);
    }
  }

  /** The pages of one list. One that fails is asked for again; a list that is too old begins again. */
  async *#pages(signal: AbortSignal): AsyncGenerator<ListPage, void> {
    const { resource, namespace, fieldSelector, listSelector, pageSize = firstPage } = this.#what;
    const query = { namespace, fieldSelector, labelSelector: listSelector };
    const [failures, restarts] = [new Pauses(), new Pauses()];
    const aborted = onAbort(signal);
    let [after, limit]: [string | undefined, number] = [undefined, pageSize];
    while (!signal.aborted) {
      try {
        const page = await this.#rest.page(resource, { ...query, limit, after }, signal);
        failures.reset();
        this.#works('list');
        [after, limit] = [page.next, nextLimit(page, limit)];
        yield page;
        if (after === undefined) return;
        await Promise.race([this.#room(), aborted]);
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof ChainsError)) throw error;
        if (after !== undefined && error.status === 410) {
          after = undefined;
          await restarts.wait(signal);
        } else {
          this.#fails('list', error);
          await failures.wait(signal, error.retryAfter);
        }
      }
    }
  }

  /** Watches from a resourceVersion on, again and again, until the server says that it is too old. */
  async #watch(version: string, signal: AbortSignal): Promise<void> {
    const { resource, namespace, fieldSelector, watchSelector, silence = 90_000 } = this.#what;
    let resourceVersion = version;
    while (!signal.aborted) {
      const started = performance.now();
      let healthy: NodeJS.Timeout | undefined;
      let eventful = false;
      const opened = () => {
        healthy = setTimeout(() => this.#watchWorks(), healthyAfter);
      };
      const query = { namespace, fieldSelector, labelSelector: watchSelector, resourceVersion, opened };
      try {
        for await (const event of watchUntilSilent(this.#rest, resource, query, silence, signal)) {
          if (!eventful) this.#watchWorks();
          eventful = true;
          resourceVersion = versionOf(event.object) ?? resourceVersion;
          this.#emit(event);
        }
        if (signal.aborted || performance.now() - started >= healthyAfter) continue;
        if (!eventful) this.#fails('watch', endedAtOnce(resource));
        await this.#watchPauses.wait(signal);
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof ChainsError)) throw error;
        if (!isTooOld(error)) this.#fails('watch', error);
        await this.#watchPauses.wait(signal, error.retryAfter);
        if (isTooOld(error)) return;
      } finally {
        clearTimeout(healthy);
      }
    }
  }

  async #room(): Promise<void> {
    try {
      await this.#to.room?.();
    } catch (error) {
      throw new Thrown('by room', { cause: error });
    }
  }

  #emit({ type, object, bytes }: WatchEvent): void {
    if (type === 'BOOKMARK') return;
    this.#overtaken?.add(keyOf(object));
    try {
      if (type === 'DELETED') this.#to.gone(object);
      else this.#to.seen(object, bytes);
    } catch (error) {
      throw new Thrown('by seen or gone', { cause: error });
    }
  }

  #watchWorks(): void {
    this.#watchPauses.reset();
    this.#works('watch');
  }

  #works(task: Phase): void {
    if (this.#ill.delete(task) && this.#ill.size === 0) this.#to.well?.();
  }

  #fails(task: Phase, error: ChainsError): void {
    this.#ill.add(task);
    this.#to.trouble?.(error);
  }
}

/** The number of items of which the next page should consist. */
function nextLimit({ items, bytes }: ListPage, limit: number): number {
  if (items.length === 0) return limit;
  return Math.min(500, Math.max(10, Math.floor((pageBytes * items.length) / bytes)));
}

function keyOf(object: JsonObject): string {
  return JSON.stringify([at(object, 'metadata', 'namespace'), at(object, 'metadata', 'name')]);
}

function versionOf(object: JsonObject): string | undefined {
  const version = at(object, 'metadata', 'resourceVersion');
  return typeof version === 'string' && version !== '' ? version : undefined;
}

/** The resourceVersion is too old (410), or newer than all that the server knows, as after a restored backup. */
function isTooOld(error: ChainsError): boolean {
  return error.status === 410 || /too large resource version/i.test(error.message);
}

function endedAtOnce(resource: Resource): ChainsError {
  const text = `watch ${resourceName(resource)}: the server ended it at once`;
  return new ChainsError('CLUSTER_UNAVAILABLE', text);
}

function onAbort(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) resolve();
  else signal.addEventListener('abort', () => resolve(), { once: true });
  return promise;
}
