import type { RunKind } from '../model/run.ts';
import type { Resource } from './call.ts';
import type { Rest } from './rest.ts';

/** How a cluster serves a kind of run: as v1 where it can, else as v1beta1; undefined without Tekton Pipelines. */
export async function servedRuns(
  rest: Rest,
  kind: RunKind,
  signal?: AbortSignal,
): Promise<Resource | undefined> {
  for (const version of ['v1', 'v1beta1']) {
    const resource = { group: 'tekton.dev', version, plural: `${kind.toLowerCase()}s` };
    if (await rest.serves(resource, signal)) return resource;
  }
  return undefined;
}
