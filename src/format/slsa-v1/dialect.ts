import { builtThings, namedThings, type SubjectRule } from '../subjects.ts';
import { type ByproductRule, byName, byRunAndName } from './byproducts.ts';

/** In what the two formats with this predicate differ (payloads.md, 9). */
export interface Dialect {
  readonly subjects: SubjectRule;
  /** Whether results and StepActions of steps count. */
  readonly steps: boolean;
  readonly byproducts: ByproductRule;
}

/** `slsa/v2alpha3`. */
export const v2alpha3: Dialect = { subjects: namedThings, steps: false, byproducts: byName };

/** `slsa/v2alpha4`. */
export const v2alpha4: Dialect = { subjects: builtThings, steps: true, byproducts: byRunAndName };
