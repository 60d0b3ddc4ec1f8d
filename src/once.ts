/** An opener that opens each name once. */
export interface Once<Name, Opened> {
  (name: Name): Promise<Opened>;
  /** What has been opened, or is being opened. */
  opened(): readonly Promise<Opened>[];
}

/** Remembers what `open` opened, by name. Callers at the same time share one opening; a failed one is forgotten, so that the next caller tries again. */
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
