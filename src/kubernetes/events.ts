import { createHash } from 'node:crypto';
import { ChainsError } from '../errors.ts';
import type { EventReason } from './event-reasons.ts';
import { oneLine } from '../text.ts';
import type { Resource } from './call.ts';
import { fieldManager, type Rest } from './rest.ts';

/** The object that an Event is about; the namespace is empty for a cluster-scoped one. */
export interface EventSubject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid?: string | undefined;
}

/** What happened. */
export interface EventText {
  readonly type: 'Normal' | 'Warning';
  readonly reason: EventReason;
  /** Written on one line, visible, cut to 1,024 bytes of UTF-8. */
  readonly message: string;
}

const events: Resource = { group: '', version: 'v1', plural: 'events' };
const longestMessage = 1_024;
const longestName = 253;

/**
 * Writes a core/v1 Event. Its name is made of its content, so that the same Event again is one refused call that costs
 * the server no write.
 * @param now the moment it happened
 * @throws ChainsError as {@link Rest.create} does, but for the conflict
 */
export async function recordEvent(
  rest: Rest,
  about: EventSubject,
  event: EventText,
  signal?: AbortSignal,
  now = new Date(),
): Promise<void> {
  const namespace = about.namespace === '' ? 'default' : about.namespace;
  const time = `${now.toISOString().slice(0, 19)}Z`;
  const body = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: eventName(about, event), namespace },
    involvedObject: {
      apiVersion: about.apiVersion,
      kind: about.kind,
      ...(about.namespace === '' ? {} : { namespace: about.namespace }),
      name: about.name,
      ...(about.uid === undefined ? {} : { uid: about.uid }),
    },
    type: event.type,
    reason: event.reason,
    message: shorten(oneLine(event.message, longestMessage), longestMessage),
    source: { component: fieldManager },
    firstTimestamp: time,
    lastTimestamp: time,
    count: 1,
  };
  try {
    await rest.create(events, namespace, body, signal);
  } catch (error) {
    if (!(error instanceof ChainsError && error.code === 'CLUSTER_CONFLICT')) throw error;
  }
}

/** The object's name, as far as there is room for it, and a hash of everything that makes the Event a new one. */
function eventName(about: EventSubject, event: EventText): string {
  const text = JSON.stringify([about.kind, about.name, about.uid, event.type, event.reason, event.message]);
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 16);
  return `${about.name.slice(0, longestName - hash.length - 1).replace(/[^a-z0-9]+$/, '')}.${hash}`;
}

/** Cuts a text to so many bytes of UTF-8, with an ellipsis, and never within a character. */
function shorten(text: string, bytes: number): string {
  const whole = text.toWellFormed();
  if (Buffer.byteLength(whole) <= bytes) return whole;
  const { read } = new TextEncoder().encodeInto(whole, new Uint8Array(bytes - Buffer.byteLength('…')));
  return `${whole.slice(0, read)}…`;
}
