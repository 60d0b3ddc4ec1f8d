import type { RunKind } from '../model/run.ts';

/** What is watched: a kind, in one namespace or in all. */
export interface Watched {
  readonly kind: RunKind;
  readonly namespace: string | undefined;
}

/** The states of all watches: a kind works if it is watched in every namespace. */
export class WatchStates {
  /** Where each kind is watched; undefined means all namespaces. */
  readonly places: readonly (string | undefined)[];
  readonly #troubles: ReadonlyMap<RunKind, Map<string | undefined, string>>;

  /** @param namespaces none means all. Each is considered failing until `set` says otherwise. */
  constructor(kinds: readonly RunKind[], namespaces: readonly string[]) {
    this.places = namespaces.length === 0 ? [undefined] : namespaces;
    const notYet = (): Map<string | undefined, string> =>
      new Map(this.places.map((namespace) => [namespace, 'it has not begun yet']));
    this.#troubles = new Map(kinds.map((kind) => [kind, notYet()]));
  }

  /** Sets what is wrong with one watch; undefined if nothing is. */
  set({ kind, namespace }: Watched, trouble: string | undefined): void {
    const troubles = this.#troubles.get(kind);
    if (trouble === undefined) troubles?.delete(namespace);
    else troubles?.set(namespace, trouble);
  }

  /** What is wrong with the watches of a kind; undefined if nothing is. */
  of(kind: RunKind): string | undefined {
    const [first, ...others] = this.#troubles.get(kind) ?? [];
    if (first === undefined) return undefined;
    const [namespace, trouble] = first;
    const where = namespace === undefined ? '' : `in ${namespace}: `;
    const more = others.length === 0 ? '' : `; and in ${others.length} more namespaces`;
    return `${where}${trouble}${more}`;
  }
}
