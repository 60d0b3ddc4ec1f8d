import type { GateAnswer, GateRequest, Respond } from './gate.ts';
import { googleError } from './google-front.ts';

/** A value as the API writes it; one of its members is there. */
export interface FirestoreValue {
  readonly nullValue?: null;
  readonly booleanValue?: boolean;
  readonly integerValue?: string;
  readonly doubleValue?: number;
  readonly stringValue?: string;
  readonly bytesValue?: string;
  readonly arrayValue?: { readonly values?: readonly FirestoreValue[] };
  readonly mapValue?: { readonly fields?: FirestoreFields };
}

/** A document's fields. */
export type FirestoreFields = Readonly<Record<string, FirestoreValue>>;

/** A Firestore without its network: documents are replaced and read. */
export interface FirestoreDouble {
  readonly respond: Respond;
  /** By resource name. */
  readonly documents: Map<string, FirestoreFields>;
}

const largest = 1_048_576;
const deepest = 20;

/** Makes an empty database, `projects/P/databases/(default)`. */
export function createFirestore(database: string): FirestoreDouble {
  const documents = new Map<string, FirestoreFields>();
  return { documents, respond };

  function respond({ method, url, body }: GateRequest): GateAnswer {
    const name = decodeURIComponent(url.pathname).replace(/^\/v1\//, '');
    const [, found, path = ''] = /^(projects\/[^/]+\/databases\/[^/]+)\/documents\/(.+)$/.exec(name) ?? [];
    if (found !== database) {
      return googleError(404, 'NOT_FOUND', `The database ${found} does not exist.`);
    }
    if (path.split('/').length % 2 !== 0) {
      return googleError(400, 'INVALID_ARGUMENT', `Document name "${name}" lacks "/" or has too many.`);
    }
    if (method === 'GET') {
      const fields = documents.get(name);
      return fields === undefined
        ? googleError(404, 'NOT_FOUND', `Document "${name}" not found.`)
        : { status: 200, json: { name, fields } };
    }
    if (method !== 'PATCH') return googleError(404, 'NOT_FOUND', 'Method not found.');
    const { fields = {} } = JSON.parse(body.toString('utf8')) as { fields?: FirestoreFields };
    const wrong = wrongIn(fields, 1);
    if (wrong !== undefined) return googleError(400, 'INVALID_ARGUMENT', wrong);
    const size = sizeOf(path, fields);
    if (size > largest) {
      return googleError(
        400,
        'INVALID_ARGUMENT',
        `Document '${name}' cannot be written because its size (${size} bytes) exceeds the maximum allowed size of ${largest} bytes.`,
      );
    }
    documents.set(name, fields);
    const time = new Date().toISOString();
    return { status: 200, json: { name, fields, createTime: time, updateTime: time } };
  }
}

/** What the API refuses in fields: reserved names, more than one kind of value, arrays in arrays, too deep a nesting. */
function wrongIn(fields: FirestoreFields, depth: number): string | undefined {
  if (depth > deepest) return `Property contains more than ${deepest} levels of nesting.`;
  for (const [name, value] of Object.entries(fields)) {
    if (name === '' || /^__.*__$/.test(name)) return `Invalid property name "${name}".`;
    const wrong = wrongValue(value, depth);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

function wrongValue(value: FirestoreValue, depth: number): string | undefined {
  const kinds = Object.keys(value);
  if (kinds.length !== 1) return `A value has one of its kinds, not ${kinds.length}.`;
  if (
    value.bytesValue !== undefined &&
    Buffer.from(value.bytesValue, 'base64').toString('base64') !== value.bytesValue
  ) {
    return 'Base64 decoding failed.';
  }
  if (value.mapValue !== undefined) return wrongIn(value.mapValue.fields ?? {}, depth + 1);
  for (const element of value.arrayValue?.values ?? []) {
    if (element.arrayValue !== undefined) return 'Cannot convert an array value in an array value.';
    const wrong = wrongValue(element, depth + 1);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

/** "Storage size calculations": the name's parts and 16, the fields, and 32. */
function sizeOf(path: string, fields: FirestoreFields): number {
  const text = (value: string) => Buffer.byteLength(value) + 1;
  const sizes: Readonly<Record<keyof FirestoreValue, (value: FirestoreValue) => number>> = {
    nullValue: () => 1,
    booleanValue: () => 1,
    integerValue: () => 8,
    doubleValue: () => 8,
    stringValue: ({ stringValue = '' }) => text(stringValue),
    bytesValue: ({ bytesValue = '' }) => Buffer.from(bytesValue, 'base64').length,
    arrayValue: ({ arrayValue }) => (arrayValue?.values ?? []).reduce((sum, one) => sum + valueSize(one), 0),
    mapValue: ({ mapValue }) => fieldsSize(mapValue?.fields ?? {}),
  };
  const valueSize = (value: FirestoreValue): number =>
    Object.entries(sizes).reduce((sum, [kind, size]) => sum + (kind in value ? size(value) : 0), 0);
  const fieldsSize = (all: FirestoreFields): number =>
    Object.entries(all).reduce((sum, [name, value]) => sum + text(name) + valueSize(value), 0);
  return path.split('/').reduce((sum, part) => sum + text(part), 16) + fieldsSize(fields) + 32;
}

/** A value as JavaScript has it. */
export function plain(value: FirestoreValue | undefined): unknown {
  if (value?.bytesValue !== undefined) return Buffer.from(value.bytesValue, 'base64');
  if (value?.arrayValue !== undefined) return (value.arrayValue.values ?? []).map(plain);
  if (value?.mapValue !== undefined) {
    const fields = Object.entries(value.mapValue.fields ?? {});
    return Object.fromEntries(fields.map(([name, one]) => [name, plain(one)]));
  }
  if (value?.integerValue !== undefined) return Number(value.integerValue);
  return value?.stringValue ?? value?.doubleValue ?? value?.booleanValue ?? null;
}
