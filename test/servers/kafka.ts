import { accessSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { outputOf, freePorts, type Running, start, temporaryFolder } from './process.ts';

/** A real Kafka of one broker, which creates no topic by itself. */
export interface Kafka {
  readonly port: number;
  createTopic(name: string, settings?: Readonly<Record<string, string | number>>): Promise<void>;
  /** What Kafka's own console consumer prints of the first messages of a topic: headers, a tab and the value. */
  consume(topic: string, count: number): Promise<string>;
  /** Stops the broker; `resume` starts it again, with what it had. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  close(): Promise<void>;
}

/** Where `scripts/install-test-servers.sh` puts the jars. */
function classPath(environment: NodeJS.ProcessEnv): string {
  const cache = environment['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  const folder = join(cache, 'tekton-chains-test-servers', 'kafka-4.1.0');
  try {
    accessSync(folder);
  } catch {
    throw new Error(`Kafka is not at ${folder}: run scripts/install-test-servers.sh`);
  }
  return join(folder, '*');
}

/** Starts a Kafka on free ports of the loopback interface and waits until it answers. */
export async function startKafka(): Promise<Kafka> {
  const jars = classPath(process.env);
  const folder = await temporaryFolder('tekton-chains-kafka');
  const [port = 0, controller = 0] = await freePorts(2);
  const server = `127.0.0.1:${port}`;
  const properties = join(folder.path, 'server.properties');
  const java = (...args: readonly string[]) => outputOf('java', ['-Xmx256m', '-cp', jars, ...args]);
  const tool = (name: string, ...args: readonly string[]) =>
    java(`org.apache.kafka.tools.${name}`, '--bootstrap-server', server, ...args);
  let broker: Running | undefined;
  const pause = async (): Promise<void> => broker?.stop();
  const resume = async (): Promise<void> => {
    broker = start('java', ['-Xmx512m', '-cp', jars, 'kafka.Kafka', properties], { cwd: folder.path });
    // It tries until there is an answer.
    await tool('TopicCommand', '--list');
  };
  const close = async (): Promise<void> => {
    await pause();
    await folder.remove();
  };
  try {
    await writeFile(properties, propertiesFor(port, controller, join(folder.path, 'data')));
    await java('kafka.tools.StorageTool', 'format', '-t', 'MkU3OEVBNTcwNTJENDM2Qg', '-c', properties);
    await resume();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    port,
    async createTopic(name, settings = {}) {
      const configs = Object.entries(settings).flatMap(([key, value]) => ['--config', `${key}=${value}`]);
      await tool('TopicCommand', '--create', '--topic', name, '--partitions', '1', ...configs);
    },
    consume: (topic, count) =>
      tool(
        'consumer.ConsoleConsumer',
        ...['--topic', topic, '--from-beginning', '--max-messages', String(count), '--timeout-ms', '30000'],
        ...['--property', 'print.headers=true'],
      ),
    pause,
    resume,
    close,
  };
}

function propertiesFor(port: number, controller: number, folder: string): string {
  const properties = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': folder,
    'auto.create.topics.enable': false,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 1,
    'group.initial.rebalance.delay.ms': 0,
  };
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}
