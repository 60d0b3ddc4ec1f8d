import type { Config } from '../../config/keys.ts';
import { required } from '../settings.ts';
import type { Store } from '../store.ts';
import { patience } from '../within.ts';
import { messageFor, type Topic, type TopicOptions } from './topic.ts';

const providers: Readonly<
  Record<
    NonNullable<Config['storage.pubsub.provider']>,
    (config: Config, topic: string, options: TopicOptions) => Promise<Topic>
  >
> = {
  gcp: async (...opening) => (await import('./gcp.ts')).openGcpTopic(...opening),
  kafka: async (...opening) => (await import('./kafka.ts')).openKafkaTopic(...opening),
};

/**
 * Opens the store `pubsub`. A message can't be looked for before it is published, so that one whose acknowledgement is lost
 * is published again: at least once.
 * @param options `timeout`: milliseconds to wait for an acknowledgement
 * @throws ChainsError CONFIG_INVALID without `storage.pubsub.provider`, `storage.pubsub.topic` or what the provider needs
 */
export async function openPubsubStore(
  config: Config,
  { timeout = patience }: Partial<TopicOptions> = {},
): Promise<Store> {
  const provider = required(config, 'pubsub', 'storage.pubsub.provider');
  const name = required(config, 'pubsub', 'storage.pubsub.topic');
  const topic = await providers[provider](config, name, { timeout });
  return {
    async store(entry, signal) {
      await topic.publish(messageFor(entry), signal);
      return {};
    },
    places: () => [`${provider} topic ${name}`],
    close: () => topic.close(),
  };
}
