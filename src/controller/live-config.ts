import { type EventSubject, recordEvent } from '../kubernetes/events.ts';
import { reflect } from '../kubernetes/reflector.ts';
import type { Resource } from '../kubernetes/call.ts';
import { type Rest, unlessMissing } from '../kubernetes/rest.ts';
import { reasonOf } from '../errors.ts';
import { at, type JsonObject } from '../json.ts';
import { configMapName } from '../config/parse.ts';
import { type ConfigListener, ConfigState } from './config-state.ts';

export type { ConfigListener } from './config-state.ts';

const configMaps: Resource = { group: '', version: 'v1', plural: 'configmaps' };

/**
 * Follows the ConfigMap `chains-config` until aborted. Without one, the defaults are in force. A bad one leaves the last
 * good one in force; at start nothing good is known, so that nothing is signed under rules that were never set.
 * What is wrong also becomes a Warning Event on the ConfigMap. Rejects only with what the listener throws.
 */
export async function followConfig(
  rest: Rest,
  namespace: string,
  to: ConfigListener,
  signal: AbortSignal,
): Promise<void> {
  let side = Promise.resolve();
  // One after the other, without delaying the watch, so that no older answer comes last.
  const aside = (task: () => Promise<void>, failed: string) => {
    side = side.then(task).catch((error: unknown) => {
      if (!signal.aborted) to.warning(`${failed}: ${reasonOf(error)}`);
    });
  };
  const state = new ConfigState(to, (reason, message, object) =>
    aside(
      () =>
        recordEvent(rest, aboutConfigMap(namespace, object), { type: 'Warning', reason, message }, signal),
      `the Event ${reason} could not be written`,
    ),
  );
  let sightings = 0;
  // A deletion while there is no watch is not reported.
  const stillThere = async () => {
    const before = sightings;
    const gone = await isGone(rest, namespace, signal);
    if (gone && before === sightings) state.gone();
  };
  await reflect(
    rest,
    { resource: configMaps, namespace, fieldSelector: `metadata.name=${configMapName}` },
    {
      seen: (object) => {
        sightings += 1;
        state.seen(object);
      },
      gone: () => state.gone(),
      synced: () => state.synced(),
      trouble: (error) => state.unreachable(error),
      well: () => state.unreachable(undefined),
      relisted: () => aside(stillThere, `whether ${configMapName} is still there could not be asked`),
    },
    signal,
  );
  await side;
}

/** The ConfigMap, as Events name what they are about. */
export function aboutConfigMap(namespace: string, object: JsonObject = {}): EventSubject {
  const uid = at(object, 'metadata', 'uid');
  const about = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: configMapName };
  return typeof uid === 'string' ? { ...about, uid } : about;
}

async function isGone(rest: Rest, namespace: string, signal: AbortSignal): Promise<boolean> {
  return (
    (await unlessMissing(rest.get(configMaps, { namespace, name: configMapName }, signal))) === undefined
  );
}
