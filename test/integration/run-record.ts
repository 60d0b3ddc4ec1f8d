import { at, type JsonObject, objectIn } from '../../src/json.ts';
import { openConnection } from '../../src/kubernetes/connection.ts';
import { reflect } from '../../src/kubernetes/reflector.ts';
import { Rest } from '../../src/kubernetes/rest.ts';
import { mark, type World } from './world.ts';

/** Whether a run is marked and let go. */
export function isThrough(run: JsonObject): boolean {
  return mark(run, 'signed') !== undefined && at(run, 'metadata', 'finalizers') === undefined;
}

/** What was seen of all runs. */
export interface RunRecord {
  /** The newest state of each, of those that were deleted too. */
  all(): readonly JsonObject[];
  /** Every signature that any state of a run had, by its uid. */
  signaturesOf(uid: string): ReadonlySet<string>;
  /** Lists all runs, rather than waiting for a watch that may lag. */
  look(): Promise<void>;
  stop(): Promise<void>;
}

/** Watches all runs, and keeps the newest state of each and every signature that any state of it had. */
export async function recordRuns(world: World): Promise<RunRecord> {
  const newest = new Map<string, JsonObject>();
  const signatures = new Map<string, Set<string>>();
  const stopping = new AbortController();
  const rest = new Rest(await openConnection({ kubeconfig: world.kubeconfigFile }));
  const seen = (run: JsonObject): void => {
    const uid = String(at(run, 'metadata', 'uid'));
    newest.set(uid, run);
    const signature = mark(run, 'signature-taskrun');
    if (signature !== undefined) signatures.set(uid, (signatures.get(uid) ?? new Set()).add(signature));
  };
  // Its last state is the one before the last finalizer was taken off.
  const gone = (run: JsonObject): void => {
    const { finalizers: _, ...metadata } = objectIn(run['metadata']);
    seen({ ...run, metadata });
  };
  const resource = { group: 'tekton.dev', version: 'v1', plural: 'taskruns' };
  const watching = reflect(rest, { resource }, { seen, gone, synced: () => {} }, stopping.signal);
  return {
    all: () => [...newest.values()],
    signaturesOf: (uid) => signatures.get(uid) ?? new Set(),
    async look() {
      for await (const { items } of rest.pages(resource, { limit: 500 })) for (const run of items) seen(run);
    },
    async stop() {
      stopping.abort();
      await watching;
      await rest.close();
    },
  };
}
