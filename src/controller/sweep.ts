import { setTimeout as pause } from 'node:timers/promises';
import type { Resource } from '../kubernetes/call.ts';
import type { Rest } from '../kubernetes/rest.ts';
import { reasonOf } from '../errors.ts';
import { at, type JsonObject } from '../json.ts';
import { finalizers, oldFinalizer, signedMark, signedUidMark } from '../model/marks.ts';
import type { RunKind } from '../model/run.ts';
import type { Log } from '../telemetry/logs.ts';

/** How fast the sweep goes, in milliseconds. */
export interface SweepPace {
  /** Before each page of `pageSize` runs. */
  readonly beforePage: number;
  readonly pageSize: number;
  /** Between one sweep and the next. */
  readonly between: number;
}

/** What is swept, and who receives it. */
export interface Sweep {
  readonly rest: Rest;
  readonly resource: Resource;
  readonly kind: RunKind;
  readonly namespace?: string;
  readonly log: Log;
  readonly pace?: SweepPace;
  /** Called with the metadata of a run that bears a mark which may not be its own, or is marked and still held. */
  readonly doubtful: (metadata: { readonly namespace: string; readonly name: string }) => void;
}

/**
 * Looks slowly and repeatedly at runs that are labelled as signed, which are not listed at the start: a rerun copies
 * the labels and annotations of the run that it repeats, and must be signed itself. Only metadata is fetched.
 */
export async function sweep(what: Sweep, signal: AbortSignal): Promise<void> {
  const { rest, resource, namespace, log, doubtful, kind } = what;
  const { beforePage, pageSize, between } = what.pace ?? {
    beforePage: 5_000,
    pageSize: 50,
    between: 600_000,
  };
  const query = { labelSelector: `${signedMark} in (true,failed)`, limit: pageSize, metadataOnly: true };
  while (!signal.aborted) {
    try {
      await pause(beforePage, undefined, { signal, ref: false });
      for await (const { items } of rest.pages(
        resource,
        { ...query, ...(namespace === undefined ? {} : { namespace }) },
        signal,
      )) {
        for (const item of items.filter((one) => isDoubtful(one, kind))) doubtful(nameOf(item));
        await pause(beforePage, undefined, { signal, ref: false });
      }
    } catch (error) {
      if (!signal.aborted) log.warn(`the sweep over marked runs broke off: ${reasonOf(error)}`);
    }
    await pause(between, undefined, { signal, ref: false }).catch(() => {});
  }
}

function isDoubtful(item: JsonObject, kind: RunKind): boolean {
  const held = at(item, 'metadata', 'finalizers') ?? [];
  const ours: readonly unknown[] = [finalizers[kind], oldFinalizer];
  const writtenFor = at(item, 'metadata', 'annotations', signedUidMark);
  return (
    writtenFor !== at(item, 'metadata', 'uid') ||
    (Array.isArray(held) && held.some((name) => ours.includes(name)))
  );
}

function nameOf(item: JsonObject): { namespace: string; name: string } {
  return {
    namespace: String(at(item, 'metadata', 'namespace') ?? ''),
    name: String(at(item, 'metadata', 'name')),
  };
}
