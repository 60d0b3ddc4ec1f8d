import type { Json, JsonObject } from '../model/json.ts';
import { type Field, field, objectsField, textField } from './read.ts';

/** One entry of a list of results. */
export interface Result {
  /** Where it stands: `status.results[0]`. */
  readonly at: string;
  readonly name: string;
  /** As it is in the object; undefined when there is no value. Read with `valueOf`. */
  readonly value: Json | undefined;
}

/**
 * The results of a TaskRun: `status.results`, or `status.taskResults` where that is absent, as v1beta1 has it. The
 * apiVersion isn't asked: a server may serve an object that was written as v1beta1 under v1, unconverted.
 * @throws ChainsError RUN_UNREADABLE when a part has the wrong type.
 */
export function taskRunResults(status: Field<JsonObject | undefined>): readonly Result[] {
  const key = field(status, 'results').value === undefined ? 'taskResults' : 'results';
  return objectsField(status, key).map((entry) => ({
    at: entry.at,
    name: textField(entry, 'name'),
    // Not by `field`, for which null is absent: a value of null is the empty text.
    value: entry.value !== undefined && Object.hasOwn(entry.value, 'value') ? entry.value.value : undefined,
  }));
}
