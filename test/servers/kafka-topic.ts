import { Consumer, MessagesStreamModes } from '@platformatic/kafka';
import type { Delivered, Provider } from '../store/pubsub.suite.ts';
import { type Kafka, startKafka } from './kafka.ts';

/** The keys of the ConfigMap for a topic. */
export function settingsFor(kafka: Kafka, topic: string): Readonly<Record<string, string>> {
  return {
    'storage.pubsub.provider': 'kafka',
    'storage.pubsub.topic': topic,
    'storage.pubsub.kafka.bootstrap.servers': `127.0.0.1:${kafka.port}`,
  };
}

/** A Kafka with the topic `chains`, which takes 10 MB, and a consumer of it. */
export async function startTopic(): Promise<Provider> {
  const kafka = await startKafka();
  await kafka.createTopic('chains', { 'max.message.bytes': 10_000_000 });
  const consumer = new Consumer({
    groupId: 'tests',
    clientId: 'tests',
    bootstrapBrokers: [`127.0.0.1:${kafka.port}`],
    maxBytes: 50_000_000,
  });
  const stream = await consumer.consume({ topics: ['chains'], mode: MessagesStreamModes.EARLIEST });
  const messages = stream[Symbol.asyncIterator]();
  return {
    settings: settingsFor(kafka, 'chains'),
    noTopic: 'none',
    async delivered(count) {
      const found: Delivered[] = [];
      while (found.length < count) {
        const { value } = await messages.next();
        if (value === undefined) throw new Error('the stream has ended');
        const metadata = [...value.headers].map(([name, bytes]) => [name.toString('utf8'), bytes] as const);
        found.push({ body: value.value, metadata: Object.fromEntries(metadata) });
      }
      return found;
    },
    async close() {
      await stream.close();
      await consumer.close(true);
      await kafka.close();
    },
  };
}
