import type { EntryProgress, TryProgress } from '../model/outcome.ts';

/**
 * How far runs are that wait for another try, by their place in the queue. Payloads and signatures are kept as long as there
 * is room for them; past that only which stores are done, so that those are not written again.
 */
export class ProgressKept {
  readonly #limit: number;
  readonly #kept = new Map<string, { readonly progress: TryProgress; readonly bytes: number }>();
  #bytes = 0;

  /** @param limit bytes of payloads and signatures */
  constructor(limit = 8 << 20) {
    this.#limit = limit;
  }

  /** The progress of an earlier try. */
  of(key: string): TryProgress | undefined {
    return this.#kept.get(key)?.progress;
  }

  /** Keeps the progress of a try in place of an earlier one's. */
  keep(key: string, progress: TryProgress): void {
    this.forget(key);
    const bytes = [...progress.entries.values()].reduce((sum, entry) => sum + bytesOf(entry), 0);
    const fits = this.#bytes + bytes <= this.#limit;
    this.#bytes += fits ? bytes : 0;
    this.#kept.set(key, fits ? { progress, bytes } : { progress: lightened(progress), bytes: 0 });
  }

  /** Forgets a run that is finished. */
  forget(key: string): void {
    this.#bytes -= this.#kept.get(key)?.bytes ?? 0;
    this.#kept.delete(key);
  }
}

function bytesOf({ made }: EntryProgress): number {
  if (made === undefined) return 0;
  const { payload, signature, transparency } = made;
  const certificates = (signature.certificate ?? '').length + (signature.chain ?? '').length;
  // The size of the evidence's JSON is close enough to what it takes in memory.
  const evidence = transparency === undefined ? 0 : JSON.stringify(transparency.logEntries).length;
  return payload.bytes.length + signature.bytes.length + certificates + evidence;
}

function lightened(progress: TryProgress): TryProgress {
  const entries = [...progress.entries].map(([id, { stored }]) => [id, { made: undefined, stored }] as const);
  return { ...progress, entries: new Map(entries) };
}
