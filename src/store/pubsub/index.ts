import type { Config } from '../../config/keys.ts';
import { defaultTimeout, required } from '../failures.ts';
import type { OpenStore } from '../store.ts';
import { messageFor, type OpenTopic } from './topic.ts';

const providers: {
  readonly [P in NonNullable<Config['storage.pubsub.provider']>]: () => Promise<OpenTopic>;
} = {
  gcp: async () => (await import('./gcp.ts')).openGcpTopic,
  kafka: async () => (await import('./kafka.ts')).openKafkaTopic,
};

/**
 * Opens the store `pubsub`. Nothing can tell whether a message was published already, so one whose acknowledgement is lost
 * is published again: at least once.
 */
export const openPubsubStore: OpenStore = async (config, { timeout = defaultTimeout } = {}) => {
  const provider = required(config, 'pubsub', 'storage.pubsub.provider');
  const name = required(config, 'pubsub', 'storage.pubsub.topic');
  const open = await providers[provider]();
  const topic = open(config, name, timeout);
  return {
    async store(entry, signal) {
      await topic.publish(messageFor(entry), signal);
      return {};
    },
    places: () => [`${provider} topic ${name}`],
    close: () => topic.close(),
  };
};
