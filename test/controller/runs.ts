import type { JsonObject } from '../../src/json.ts';
import type { Run } from '../../src/model/run.ts';
import { taskRun } from '../runs.ts';

/** What a run is made of in a test of the controller. */
export interface RunParts {
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly deletedAt?: string;
  readonly managedBy?: string;
  readonly status?: JsonObject | string;
}

/** The status of a run that has succeeded. */
export const done: JsonObject = { conditions: [{ type: 'Succeeded', status: 'True' }] };

/** The status of a run at work. */
export const running: JsonObject = { conditions: [{ type: 'Succeeded', status: 'Unknown' }] };

/** The TaskRun `ci/build` with uid `uid-1` at resourceVersion 7. */
export function runOf({ deletedAt, managedBy, status, ...metadata }: RunParts): Run {
  const deletion = deletedAt === undefined ? {} : { deletionTimestamp: deletedAt };
  const spec = managedBy === undefined ? {} : { managedBy };
  return taskRun(status, { resourceVersion: '7', ...metadata, ...deletion }, spec);
}
