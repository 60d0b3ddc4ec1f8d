/** Settles as the promise does, or rejects with the signal's reason if it is aborted first. */
export async function unlessAborted<T>(signal: AbortSignal | undefined, promise: Promise<T>): Promise<T> {
  if (signal === undefined) return promise;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** A function that opens each name once. */
export interface Once<Name, Opened> {
  (name: Name): Promise<Opened>;
  /** All that is open or being opened. */
  opened(): readonly Promise<Opened>[];
}

/** Calls `open` once for each name, also for concurrent callers. A failure is forgotten, so that the next caller tries again. */
export function once<Name, Opened>(open: (name: Name) => Promise<Opened>): Once<Name, Opened> {
  const known = new Map<Name, Promise<Opened>>();
  const opener = (name: Name): Promise<Opened> => {
    const before = known.get(name);
    if (before !== undefined) return before;
    const opening = open(name);
    known.set(name, opening);
    opening.catch(() => known.delete(name));
    return opening;
  };
  return Object.assign(opener, { opened: () => [...known.values()] });
}

/** Works on all items in order, at most `most` at a time. Rejects with the first failure, after which none is begun. */
export async function mapAtMost<T, R>(
  most: number,
  items: readonly T[],
  work: (item: T, index: number) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  const waiting = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of waiting) results[index] = await work(item, index);
  };
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, worker));
  return results;
}
