import { isUtf8 } from 'node:buffer';
import type { TestContext } from 'node:test';
import { isJsonList, isJsonObject, type Json, member } from '../../src/json.ts';
import { failure, type Google, startGoogle } from './google.ts';
import { complaint, type Type } from './proto-json.ts';
import { type Answer, jsonOf, type Request, startWeb, type Web } from './web.ts';

/** A message as a subscriber gets it. */
export interface Received {
  readonly data: Buffer;
  readonly attributes: Readonly<Record<string, string>>;
}

/** Topics by their full names, and what was published to each. */
export type Topics = Map<string, Received[]>;

const publishRequest: Type = {
  messages: [{ data: 'bytes', attributes: 'map<string, string>', orderingKey: 'string' }],
};

/** https://cloud.google.com/pubsub/quotas#resource_limits, in bytes. */
const limits = { message: 10_000_000, attributes: 100, key: 256, value: 1_024 };

/** Cloud Pub/Sub for one test, with the topic `projects/acme/topics/chains`. */
export async function startPubsub(context: TestContext): Promise<Google & { readonly topics: Topics }> {
  const topics: Topics = new Map([['projects/acme/topics/chains', []]]);
  const google = await startGoogle(context, {
    host: 'pubsub.googleapis.com',
    scopes: ['https://www.googleapis.com/auth/cloud-platform', 'https://www.googleapis.com/auth/pubsub'],
    respond: publisher(topics),
  });
  return Object.assign(google, { topics });
}

/** Its emulator: plain HTTP, no credentials. */
export async function startPubsubEmulator(): Promise<Web & { readonly topics: Topics }> {
  const topics: Topics = new Map([['projects/acme/topics/chains', []]]);
  return Object.assign(await startWeb(publisher(topics)), { topics });
}

function publisher(topics: Topics): (request: Request) => Answer {
  return ({ method, url, body }) => {
    const [, name] =
      /^\/v1\/(projects\/[^/]+\/topics\/[^/]+):publish$/.exec(decodeURIComponent(url.pathname)) ?? [];
    if (method !== 'POST' || name === undefined) return { status: 404, text: '<!DOCTYPE html>' };
    const wrong = complaint(jsonOf(body), publishRequest) ?? complaintAbout(jsonOf(body));
    if (wrong !== undefined) return failure(400, 'INVALID_ARGUMENT', wrong);
    const topic = topics.get(name);
    if (topic === undefined) return failure(404, 'NOT_FOUND', `Resource not found (resource=${name}).`);
    const received = messagesIn(jsonOf(body)).map((message) => ({
      data: dataOf(message),
      attributes: Object.fromEntries(attributesOf(message)),
    }));
    const messageIds = received.map((message) => `${topic.push(message)}`);
    return { status: 200, json: { messageIds } };
  };
}

function messagesIn(request: Json | undefined): readonly Json[] {
  const messages = member(request, 'messages');
  return isJsonList(messages) ? messages : [];
}

function dataOf(message: Json): Buffer {
  return Buffer.from(String(member(message, 'data') ?? ''), 'base64');
}

function attributesOf(message: Json): readonly (readonly [string, string])[] {
  const attributes = member(message, 'attributes');
  return Object.entries(isJsonObject(attributes) ? attributes : {}).map(([key, value]) => [
    key,
    String(value),
  ]);
}

function complaintAbout(request: Json | undefined): string | undefined {
  const messages = messagesIn(request);
  if (messages.length === 0) return 'The request contains no messages.';
  return messages.map(complaintAboutMessage).find((one) => one !== undefined);
}

function complaintAboutMessage(message: Json): string | undefined {
  const [data, attributes] = [dataOf(message), attributesOf(message)];
  if (data.length === 0 && attributes.length === 0)
    return 'One or more messages in the publish request is empty.';
  if (attributes.length > limits.attributes) return 'A message has too many attributes.';
  for (const [key, value] of attributes) {
    const [keyLength, length] = [Buffer.byteLength(key), Buffer.byteLength(value)];
    if (keyLength === 0 || keyLength > limits.key || key.startsWith('goog'))
      return `An attribute key is invalid: ${key}`;
    if (length > limits.value) {
      return `One of the attributes in the request has a value that is too long. The length is ${length} characters, but the maximum allowed is ${limits.value}.`;
    }
    if (!isUtf8(Buffer.from(value)) || value.includes('\ufffd')) return 'An attribute is not valid UTF-8.';
  }
  const size = attributes.reduce((sum, pair) => sum + Buffer.byteLength(pair.join('')), data.length);
  return size > limits.message ? 'The value for message_size is too large.' : undefined;
}
