import { at, isJsonObject, type Json, type JsonObject, member } from '../src/json.ts';
import { badRequest, type Cause, Failure, invalid, wrongValue } from './failure.ts';
import { apiVersionOf, type Kind } from './kinds.ts';
import { isList, listOf, objectOf } from './values.ts';

const annotationLimit = 256 * 1024;
const dataLimit = 1024 * 1024;
const objectLimit = 1.5 * 1024 * 1024;

const texts = ['name', 'generateName', 'namespace', 'uid', 'resourceVersion'];
const metadataFields = [
  ...texts,
  'labels',
  'annotations',
  'ownerReferences',
  'finalizers',
  'creationTimestamp',
];

/**
 * Reads a request's object: its kind and version must be those of the address, its metadata well-formed.
 * Returns it without `apiVersion` and `kind`. @throws Failure 400 or 422
 */
export function readObject(
  kind: Kind,
  version: string,
  body: unknown,
  strict = false,
): { readonly [key: string]: Json | undefined; readonly metadata: JsonObject } {
  if (!isJsonObject(body))
    throw badRequest(`the object provided is unrecognized (must be of type ${kind.kind})`);
  const { apiVersion, kind: kindName, metadata = {}, ...rest } = body;
  const expected = apiVersionOf(kind, version);
  if (kind.custom && kindName === undefined) {
    throw badRequest(
      `the object provided is unrecognized (must be of type ${kind.kind}): Object 'Kind' is missing`,
    );
  }
  if (apiVersion !== undefined && apiVersion !== expected) {
    const data = `the API version in the data (${String(apiVersion)})`;
    throw badRequest(`${data} does not match the expected API version (${expected})`);
  }
  if (kindName !== undefined && kindName !== kind.kind) {
    if (!kind.custom)
      throw badRequest(`${String(kindName)} in version "${version}" cannot be handled as a ${kind.kind}`);
    const cause = wrongValue('kind', kindName, `must be ${kind.kind}`);
    throw invalid({ ...kind, kind: String(kindName) }, String(at(metadata, 'name') ?? ''), [cause]);
  }
  const unknown = kind.custom ? [] : Object.keys(rest).filter((key) => !kind.fields.includes(key));
  if (strict && unknown.length > 0) {
    throw mistyped(
      kind,
      version,
      `strict decoding error: unknown field "${unknown.join('", unknown field "')}"`,
    );
  }
  const known = Object.fromEntries(Object.entries(rest).filter(([key]) => !unknown.includes(key)));
  const content = { ...known, metadata: readMetadata(kind, version, metadata) };
  return kind.custom ? content : { ...readData(kind, version, content), metadata: content.metadata };
}

function mistyped(kind: Kind, version: string, why: string): Failure {
  return badRequest(`${kind.kind} in version "${version}" cannot be handled as a ${kind.kind}: ${why}`);
}

function readMetadata(kind: Kind, version: string, metadata: Json): JsonObject {
  if (!isJsonObject(metadata)) throw mistyped(kind, version, 'json: metadata is not an object');
  const given = metadataFields.map((field) => [field, member(metadata, field) ?? ''] as const);
  const read = given.filter(
    ([, value]) => value !== '' && (typeof value !== 'object' || Object.keys(value ?? {}).length > 0),
  );
  for (const [field, value] of read) {
    const fits =
      field === 'labels' || field === 'annotations'
        ? isTextMap(value)
        : field === 'finalizers'
          ? isList(value) && value.every((entry) => typeof entry === 'string')
          : field === 'ownerReferences'
            ? isList(value) && value.every(isJsonObject)
            : typeof value === 'string';
    if (!fits)
      throw mistyped(kind, version, `json: cannot unmarshal into Go struct field ObjectMeta.${field}`);
  }
  return Object.fromEntries(read);
}

function isTextMap(value: Json): boolean {
  return isJsonObject(value) && Object.values(value).every((entry) => typeof entry === 'string');
}

/** A core object with its data checked, and a Secret's `stringData` as the `data` that it becomes. */
function readData(kind: Kind, version: string, content: JsonObject): JsonObject {
  for (const field of ['data', 'stringData', 'binaryData']) {
    const value = content[field] ?? {};
    const encoded = field === 'binaryData' || (field === 'data' && kind.kind === 'Secret');
    if (!isTextMap(value))
      throw mistyped(kind, version, `json: ${kind.kind}.${field} is not a map of strings`);
    if (encoded && !Object.values(value).every((entry) => /^[A-Za-z0-9+/]*={0,2}$/.test(String(entry)))) {
      throw mistyped(kind, version, `illegal base64 data in ${field}`);
    }
  }
  const { stringData, ...rest } = content;
  if (!isJsonObject(stringData)) return content;
  const added = Object.entries(stringData).map(
    ([key, value]) => [key, Buffer.from(String(value)).toString('base64')] as const,
  );
  return {
    ...rest,
    data: { ...objectOf(rest['data']), ...Object.fromEntries(added) },
  };
}

/** What the server adds to an object of some kinds: a Secret's type, a Namespace's label and phase. */
export function withDefaults(kind: Kind, content: JsonObject): JsonObject {
  if (kind.kind === 'Secret') return { ...content, type: content['type'] || 'Opaque' };
  if (kind.kind !== 'Namespace') return content;
  const { metadata, status = { phase: 'Active' } } = content;
  const given = at(metadata, 'labels');
  const labels = {
    ...objectOf(given),
    'kubernetes.io/metadata.name': at(metadata, 'name'),
  };
  const named = { ...objectOf(metadata), labels };
  return { ...content, metadata: named, spec: { finalizers: ['kubernetes'] }, status };
}

const word = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const subdomain = '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*';
const namePattern = new RegExp(`^${subdomain}$`);
const keyPattern = new RegExp(`^(${subdomain}/)?${word}$`);
const valuePattern = new RegExp(`^(${word})?$`);

const isKey = (key: string) => keyPattern.test(key) && (key.split('/').at(-1)?.length ?? 0) <= 63;

/** Checks names, labels, finalizers and sizes. @throws Failure 422; 500 for what etcd would not take */
export function validate(kind: Kind, content: JsonObject): void {
  const metadata = content['metadata'];
  const name = String(at(metadata, 'name') ?? '');
  const entries = (field: string) => {
    const value = at(metadata, field);
    return isJsonObject(value)
      ? Object.entries(value).map(([key, text]) => [key, String(text)] as const)
      : [];
  };
  const causes: Cause[] = [];
  const check = (holds: boolean, field: string, value: Json) => {
    if (!holds) causes.push(wrongValue(field, value, 'has a form that is not allowed'));
  };
  check(namePattern.test(name) && name.length <= 253, 'metadata.name', name);
  for (const [key, value] of entries('labels')) {
    check(isKey(key), 'metadata.labels', key);
    check(valuePattern.test(value) && value.length <= 63, 'metadata.labels', value);
  }
  for (const [key] of entries('annotations')) check(isKey(key.toLowerCase()), 'metadata.annotations', key);
  const size = entries('annotations').reduce((sum, [key, value]) => sum + Buffer.byteLength(key + value), 0);
  if (size > annotationLimit) causes.push(tooLong('metadata.annotations', annotationLimit));
  const finalizers = at(metadata, 'finalizers');
  for (const entry of listOf(finalizers)) check(isKey(String(entry)), 'metadata.finalizers', entry);
  if (kind.kind === 'Event') {
    const namespace = at(content, 'involvedObject', 'namespace') ?? '';
    check(namespace === '' || namespace === at(metadata, 'namespace'), 'involvedObject.namespace', namespace);
  }
  if (!kind.custom) causes.push(...dataCauses(content));
  if (causes.length > 0) throw invalid(kind, name, causes);
  if (JSON.stringify(content).length > objectLimit)
    throw new Failure(500, '', 'etcdserver: request is too large');
}

function tooLong(field: string, limit: number): Cause {
  return { reason: 'FieldValueTooLong', message: `Too long: may not be more than ${limit} bytes`, field };
}

function dataCauses(content: JsonObject): readonly Cause[] {
  const entries = ['data', 'binaryData'].flatMap((field) => Object.entries(content[field] ?? {}));
  const bad = entries.filter(([key]) => !/^[-._a-zA-Z0-9]{1,253}$/.test(key));
  const size = entries.reduce((sum, [, value]) => sum + Buffer.byteLength(String(value)), 0);
  return [
    ...bad.map(([key]) => wrongValue(`data[${key}]`, key, 'is not a valid key')),
    ...(size > dataLimit ? [tooLong('[]', dataLimit)] : []),
  ];
}
