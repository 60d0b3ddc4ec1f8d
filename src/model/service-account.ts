import { at } from '../json.ts';
import type { Run } from './run.ts';

/** Whether the API server takes this for the name of a Secret or service account: what a run says may be anything. */
export function isObjectName(name: string): boolean {
  return name.length <= 253 && /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/.test(name);
}

/** The service account of a TaskRun, or of a PipelineRun in either version; Kubernetes' own default where none is named. */
export function serviceAccountOf({ object }: Run): string {
  const name =
    at(object, 'spec', 'serviceAccountName') ?? at(object, 'spec', 'taskRunTemplate', 'serviceAccountName');
  return typeof name === 'string' && name !== '' ? name : 'default';
}
