import type { Json, JsonObject } from '../src/json.ts';
import { listOf, objectOf } from './values.ts';

/** How a field of a message is read; a nested message is its table of fields. */
type Reading =
  | 'text'
  | 'base64'
  | 'flag'
  | Message
  | { readonly map: 'text' | 'base64' }
  | { readonly each: 'text' };
type Message = { readonly [field: number]: readonly [name: string, reading: Reading] };

const metadata: Message = {
  1: ['name', 'text'],
  2: ['generateName', 'text'],
  3: ['namespace', 'text'],
  11: ['labels', { map: 'text' }],
  12: ['annotations', { map: 'text' }],
  14: ['finalizers', { each: 'text' }],
};
const envelope: Message = {
  1: ['type', { 1: ['apiVersion', 'text'], 2: ['kind', 'text'] }],
  2: ['raw', 'base64'],
};
const objects: Readonly<Record<string, Message>> = {
  ConfigMap: {
    1: ['metadata', metadata],
    2: ['data', { map: 'text' }],
    3: ['binaryData', { map: 'base64' }],
    4: ['immutable', 'flag'],
  },
  Namespace: { 1: ['metadata', metadata] },
  Secret: {
    1: ['metadata', metadata],
    2: ['data', { map: 'base64' }],
    3: ['type', 'text'],
    4: ['stringData', { map: 'text' }],
    5: ['immutable', 'flag'],
  },
  ServiceAccount: { 1: ['metadata', metadata] },
};

/** Decodes what `kubectl create configmap|secret|namespace|serviceaccount` sends. @throws RangeError for anything else */
export function decodeObject(body: Buffer): JsonObject {
  if (body.subarray(0, 4).toString('latin1') !== 'k8s\0') throw new RangeError('no Kubernetes protobuf');
  const { type, raw } = decode(body.subarray(4), envelope);
  const known = objectOf(type);
  const kind = String(known['kind']);
  const message = Object.hasOwn(objects, kind) ? objects[kind] : undefined;
  if (message === undefined) throw new RangeError('a kind that is taken as JSON only');
  return { ...known, ...decode(Buffer.from(String(raw), 'base64'), message) };
}

function decode(bytes: Buffer, message: Message): { readonly [key: string]: Json } {
  let at = 0;
  const number = () => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes.readUInt8(at++);
      value += (byte % 128) * scale;
      if (byte < 128) return value;
    }
  };
  const fields = new Map<string, Json>();
  while (at < bytes.length) {
    const tag = number();
    const size = number();
    // Only lengths and plain numbers occur in these messages.
    const content = tag % 8 === 2 ? bytes.subarray(at, (at += size)) : Buffer.from([size === 0 ? 0 : 1]);
    const [name, reading] = message[Math.floor(tag / 8)] ?? [];
    if (name !== undefined && reading !== undefined)
      fields.set(name, read(content, reading, fields.get(name)));
  }
  return Object.fromEntries(fields);
}

function read(content: Buffer, reading: Reading, before: Json | undefined): Json {
  if (reading === 'flag') return content[0] === 1;
  if (reading === 'text') return content.toString();
  if (reading === 'base64') return content.toString('base64');
  if ('each' in reading) return [...listOf(before), content.toString()];
  if (!('map' in reading)) return decode(content, reading);
  const { key = '', value = '' } = decode(content, { 1: ['key', 'text'], 2: ['value', reading.map] });
  const entries = Object.entries(objectOf(before));
  return Object.fromEntries([...entries, [String(key), value] as const]);
}
