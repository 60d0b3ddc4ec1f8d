import { ChainsError } from '../errors.ts';
import { type Resource, resourceName } from './call.ts';
import type { Rest, WatchEvent, WatchQuery } from './rest.ts';

/**
 * A watch that is given up when nothing, not even a bookmark, has come for `silence` milliseconds: a connection that is
 * half open never ends by itself.
 * @throws ChainsError CLUSTER_UNAVAILABLE for silence, else what {@link Rest.watch} throws
 */
export async function* watchUntilSilent(
  rest: Rest,
  resource: Resource,
  query: WatchQuery,
  silence: number,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent, void> {
  const silent = new AbortController();
  const timer = setTimeout(() => {
    const text = `watch ${resourceName(resource)}: nothing has come for ${silence / 1_000} s, not even a bookmark`;
    silent.abort(new ChainsError('CLUSTER_UNAVAILABLE', text));
  }, silence);
  try {
    for await (const event of rest.watch(resource, query, AbortSignal.any([signal, silent.signal]))) {
      timer.refresh();
      yield event;
    }
  } finally {
    clearTimeout(timer);
  }
}
