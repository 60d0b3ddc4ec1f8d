import { isUtf8 } from 'node:buffer';
import { ChainsError } from '../../errors.ts';
import { isJsonList, type JsonObject, member } from '../../json.ts';
import { openGoogle } from '../../http/google.ts';
import { failures, unreadable } from '../failures.ts';
import type { Message, OpenTopic } from './topic.ts';

const scope = 'https://www.googleapis.com/auth/pubsub';

/** What Pub/Sub allows, in bytes. */
const longestAttribute = 1_024;
const longestMessage = 10_000_000;

/**
 * Opens a topic of Google Cloud Pub/Sub, over REST: `projects/P/topics/T`, or T in the project of the environment or of the
 * credential. `PUBSUB_EMULATOR_HOST` names an emulator to use instead.
 */
export const openGcpTopic: OpenTopic = (_, name, timeout) => {
  const emulator = process.env['PUBSUB_EMULATOR_HOST'] ?? '';
  const emulated = emulator !== '';
  const origin = emulated ? `http://${emulator}` : 'https://pubsub.googleapis.com';
  const project = /^projects\/([^/]+)\/topics\/[^/]+$/.exec(name)?.[1];
  const limits = { timeout };
  const service = openGoogle({ origin, scope, failures, project, emulated, timeout, limits });

  async function fullName(signal?: AbortSignal): Promise<string> {
    if (name.startsWith('projects/')) return name;
    const project = await service.project(signal);
    if (project !== undefined) return `projects/${project}/topics/${name}`;
    throw new ChainsError(
      'STORE_REFUSED',
      `storage.pubsub.topic is \`${name}\`, and neither GOOGLE_CLOUD_PROJECT nor the credential names a project: write projects/PROJECT/topics/${name}`,
    );
  }

  return {
    async publish(message, signal) {
      const body = JSON.stringify({ messages: [pubsubMessage(message)] });
      const topic = await fullName(signal);
      const what = `publish ${message.about} to ${topic}`;
      const url = `/v1/${topic.split('/').map(encodeURIComponent).join('/')}:publish`;
      const answer = await service.call({ what, method: 'POST', url, body, signal });
      const ids = member(answer.body, 'messageIds');
      if (isJsonList(ids) && ids.length === 1) return;
      throw unreadable(what, 'no message id');
    },
    close: () => service.close(),
  };
};

/**
 * The `PubsubMessage`. Attributes are texts of up to 1024 bytes, so a signature that is not text becomes base64 there, and
 * what is longer is left out where the data hold it too.
 * @throws ChainsError PAYLOAD_TOO_LARGE where they don't, or where the whole is too long
 */
function pubsubMessage({ about, storageKey, body, payload, complete }: Message): JsonObject {
  const size = body.length;
  const advice = `choose another store in ${storageKey}, or \`kafka\` as storage.pubsub.provider`;
  const tooLarge = (why: string) => new ChainsError('PAYLOAD_TOO_LARGE', `${about}: ${why}${advice}`);
  if (!complete && payload.length > longestAttribute) {
    throw tooLarge(
      `its payload is ${payload.length} bytes in base64, and Pub/Sub allows ${longestAttribute} for an attribute: ` +
        'choose a format of in-toto statements, whose signature holds the payload, or ',
    );
  }
  if (size + 2 * longestAttribute > longestMessage) {
    throw tooLarge(
      `its signature and payload are ${size} bytes, and Pub/Sub allows ${longestMessage} for a message: `,
    );
  }
  const data = Buffer.from(body);
  const attributes = { payload, signature: data.toString(isUtf8(data) ? 'utf8' : 'base64') };
  return {
    data: data.toString('base64'),
    attributes: Object.fromEntries(
      Object.entries(attributes).filter(([, value]) => Buffer.byteLength(value) <= longestAttribute),
    ),
  };
}
