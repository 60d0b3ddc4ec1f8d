import type { ServerResponse } from 'node:http';
import type { JsonObject } from '../src/json.ts';
import { expired } from './failure.ts';
import type { Faults, Meddled } from './faults.ts';
import { apiVersionOf } from './kinds.ts';
import { selection, versionIn } from './lists.ts';
import type { Address } from './address.ts';
import { type Representation, show, table } from './representation.ts';
import type { Change, Storage, Stored } from './storage.ts';
import { present } from './values.ts';

/** The watches that are open. */
export class Watches {
  readonly open = new Set<Meddled>();
  readonly #storage: Storage;
  readonly #bookmarkEvery: number;

  /** @param bookmarkEvery milliseconds between bookmarks. */
  constructor(storage: Storage, bookmarkEvery: number) {
    this.#storage = storage;
    this.#bookmarkEvery = bookmarkEvery;
  }

  /** Answers a watch request, until its time is up or the client goes. @throws Failure 400, 410 before anything is sent */
  serve(
    address: Address,
    query: URLSearchParams,
    how: Representation,
    response: ServerResponse,
    faults: { readonly silent: boolean; readonly expiredAs: Faults['expiredAs'] },
  ): void {
    const storage = this.#storage;
    const { kind, version } = address;
    const selected = selection(address, query);
    const from = versionIn(query);
    const initial = query.get('sendInitialEvents') === 'true';
    const bookmarks = query.get('allowWatchBookmarks') === 'true';
    const tooOld = from !== undefined && !initial && from < storage.compacted;
    const reason = expired(`too old resource version: ${String(from)} (${storage.compacted})`);
    if (tooOld && faults.expiredAs === 'status') throw reason;

    let silent = faults.silent;
    let described = false;
    let sent = storage.version;
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-cache, private' });
    response.flushHeaders();
    if (tooOld) {
      response.end(`${JSON.stringify({ type: 'ERROR', object: reason.status() })}\n`);
      return;
    }
    const send = (type: string, object: string) => {
      if (!silent && !response.destroyed) response.write(`{"type":"${type}","object":${object}}\n`);
    };
    const announce = (type: string, stored: Stored) => {
      const row = how.as === 'table' ? table(kind, version, [stored], how, {}, !described) : undefined;
      send(type, row ?? show(kind, version, stored, how));
      described = true;
    };
    const bookmark = (annotations?: JsonObject) => {
      const metadata = present({ resourceVersion: String(sent), annotations });
      const object = { kind: kind.kind, apiVersion: apiVersionOf(kind, version), metadata };
      const head = { kind: 'Table', apiVersion: 'meta.k8s.io/v1', metadata, columnDefinitions: null };
      send(
        'BOOKMARK',
        JSON.stringify(how.as === 'table' ? { ...head, rows: [{ cells: [], object }] } : object),
      );
    };
    const follow = (change: Change) => {
      if (change.kind === kind) {
        const before = change.before !== undefined && selected(change.before) ? change.before : undefined;
        const after = change.after !== undefined && selected(change.after) ? change.after : undefined;
        if (after !== undefined) announce(before === undefined ? 'ADDED' : 'MODIFIED', after);
        else if (before !== undefined) announce('DELETED', storage.departed(before, change.version));
      }
      sent = change.version;
    };

    if (from === undefined || initial) {
      for (const stored of storage.list(kind, storage.version) ?? [])
        if (selected(stored)) announce('ADDED', stored);
      if (initial && bookmarks) bookmark({ 'k8s.io/initial-events-end': 'true' });
    } else {
      for (const change of storage.since(from)) follow(change);
    }
    const unfollow = storage.follow(follow);
    const ticker = bookmarks ? setInterval(() => bookmark(), this.#bookmarkEvery) : undefined;
    const seconds = Math.min(Number(query.get('timeoutSeconds')) || 1800, 86_400);
    const timer = setTimeout(() => {
      if (bookmarks) bookmark();
      if (!silent) response.end();
    }, seconds * 1000);
    const entry: Meddled = {
      drop: () => response.socket?.resetAndDestroy(),
      silence: () => {
        silent = true;
      },
    };
    this.open.add(entry);
    response.on('close', () => {
      unfollow();
      clearInterval(ticker);
      clearTimeout(timer);
      this.open.delete(entry);
    });
  }
}
