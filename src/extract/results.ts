import type { Value } from '../tekton/value.ts';

/** One entry of a list of results. */
export interface Result {
  /** Where it is: `status.results[0]`. */
  readonly at: string;
  readonly name: string;
  /** Undefined when there is no value. */
  readonly value: Value | undefined;
}

/** The results of the list at `where`. */
export function resultsAt(
  where: string,
  list: readonly { readonly name?: string; readonly value?: Value }[] = [],
): readonly Result[] {
  return list.map(({ name = '', value }, index) => ({ at: `${where}[${index}]`, name, value }));
}
