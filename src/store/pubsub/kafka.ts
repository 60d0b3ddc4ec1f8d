import { findErrorBy, ProduceAcks, Producer } from '@platformatic/kafka';
import { oneLine } from '../../text.ts';
import { ChainsError, reasonOf } from '../../errors.ts';
import { callLibrary } from '../failures.ts';
import type { Message, OpenTopic } from './topic.ts';

/** A record as go-cloud's consumers read it: headers are plain bytes. */
export interface KafkaRecord {
  readonly topic: string;
  readonly value: Buffer;
  readonly headers: Map<Buffer, Buffer>;
}

/** Opens a topic of Kafka. The connection is made at the first message; all in-sync replicas must acknowledge a message. */
export const openKafkaTopic: OpenTopic = (config, topic, timeout) => {
  const bootstrapBrokers = brokersIn(config['storage.pubsub.kafka.bootstrap.servers']);
  const open = (): Producer =>
    new Producer({
      clientId: 'tekton-chains',
      bootstrapBrokers: [...bootstrapBrokers],
      acks: ProduceAcks.ALL,
      // The controller tries again, with its own pauses and deadline.
      retries: 0,
      connectTimeout: timeout,
      timeout,
      // The broker's own configuration decides whether it creates topics.
      autocreateTopics: true,
    });
  let producer = open();
  return {
    async publish(message, signal) {
      const what = `publish ${message.about} to the topic ${topic} of ${bootstrapBrokers.join()}`;
      const used = producer;
      const send = () => used.send({ messages: [kafkaRecord(topic, message)] });
      try {
        await callLibrary({ timeout, what, signal }, send, (error) => failure(what, message, error));
      } catch (error) {
        signal?.throwIfAborted();
        // The library would go on using a connection that has gone silent.
        if (error instanceof ChainsError && error.code === 'STORE_UNAVAILABLE' && producer === used) {
          producer = open();
          // Errors of connections that are given up don't matter.
          used.close(true).catch(() => undefined);
        }
        throw error;
      }
    },
    close: () => producer.close(true),
  };
};

/** The record for a message. */
export function kafkaRecord(topic: string, { body, payload }: Message): KafkaRecord {
  const value = Buffer.from(body);
  const headers = { payload: Buffer.from(payload), signature: value };
  const entries = Object.entries(headers).map(([name, bytes]) => [Buffer.from(name), bytes] as const);
  return { topic, value, headers: new Map(entries) };
}

const tooLarge = ['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'];
const refused = [
  'UNKNOWN_TOPIC_OR_PARTITION',
  'INVALID_TOPIC_EXCEPTION',
  'TOPIC_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'POLICY_VIOLATION',
  'INVALID_RECORD',
];
/** The library's own code for a topic that the broker doesn't know. */
const unknownTopic = 'PLT_KFK_USER';

/** The error for what the library threw; without a broker's code in it, no broker has answered. */
function failure(what: string, { body, payload, storageKey }: Message, error: unknown): ChainsError {
  const cause = error instanceof Error ? error : new Error(reasonOf(error));
  const says = (word: string): boolean => findErrorBy(cause, 'apiId', word) !== null;
  if (tooLarge.some(says)) {
    return new ChainsError(
      'PAYLOAD_TOO_LARGE',
      `${what}: ${2 * body.length + payload.length} bytes of value and headers are more than the topic allows: ` +
        `raise its max.message.bytes (1 MiB unless set), or choose another store in ${storageKey}`,
      { cause },
    );
  }
  const isRefused = refused.some(says) || findErrorBy(cause, 'code', unknownTopic) !== null;
  const message = oneLine(`${what}: ${reasonOf(cause)}`);
  return new ChainsError(isRefused ? 'STORE_REFUSED' : 'STORE_UNAVAILABLE', message, { cause });
}

function brokersIn(given: readonly string[]): readonly string[] {
  const key = 'storage.pubsub.kafka.bootstrap.servers';
  if (given.length === 0) {
    throw new ChainsError('CONFIG_INVALID', `${key} is not set, and the store \`pubsub\` needs it for kafka`);
  }
  const wrong = given.find((server) => !/^([^\s:/]+|\[[\da-fA-F:]+\])(:\d{1,5})?$/.test(server));
  if (wrong === undefined) return given;
  throw new ChainsError('CONFIG_INVALID', `${key} holds \`${wrong}\`, which is not a host:port`);
}
