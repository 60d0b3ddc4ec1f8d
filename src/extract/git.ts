import type { GitSource } from '../model/evidence.ts';
import type { Param, ParamSpec } from '../model/tekton/params.ts';
import { textOf, type Value } from '../model/tekton/value.ts';

interface Named {
  readonly name?: string;
  readonly value?: Value | undefined;
}

/** Where a run may say what source it was built from; what is absent says nothing. */
export interface GitPlaces {
  readonly specs?: readonly ParamSpec[] | undefined;
  readonly params?: readonly Param[] | undefined;
  readonly results?: readonly Named[] | undefined;
}

/**
 * The values of `CHAINS-GIT_URL` and `CHAINS-GIT_COMMIT`, each looked for by itself: a param overrides a default, a
 * result a param (payloads.md, 4.3).
 */
export function gitSource({ specs = [], params = [], results = [] }: GitPlaces): GitSource {
  const defaults = specs
    .filter((spec) => spec.default !== undefined)
    .map(({ name = '', default: value }) => ({ name, value }));
  const named: readonly Named[] = [...defaults, ...params, ...results];
  const last = (name: string) => textOf(named.findLast((one) => one.name === name)?.value);
  return { url: last('CHAINS-GIT_URL'), commit: last('CHAINS-GIT_COMMIT') };
}
