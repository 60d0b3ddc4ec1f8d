import type { IncomingMessage } from 'node:http';
import { parse } from 'yaml';
import { at, isJsonObject, type Json, type JsonObject, member } from '../src/json.ts';
import { badRequest, Failure, invalid } from './failure.ts';
import { listPage } from './lists.ts';
import type { Address, ApiRequest } from './address.ts';
import type { Objects, WriteOptions } from './objects.ts';
import { jsonPatch, mergePatch, strategicPatch } from './patches.ts';
import { decodeObject } from './protobuf.ts';
import { type Representation, showList } from './representation.ts';
import { contentOf } from './storage.ts';
import { objectOf, parseJson } from './values.ts';

/** A request, read. */
export interface Call {
  readonly request: IncomingMessage;
  readonly query: URLSearchParams;
  readonly about: ApiRequest;
  readonly body: Buffer;
}

interface Result {
  readonly code?: number;
  readonly content?: JsonObject;
  readonly json?: (how: Representation) => string;
}

type Verb = (objects: Objects, address: Address, call: Call) => Result;

/** What is done for each verb; a watch is answered by `Watches`. */
export const verbs: Readonly<Record<string, Verb>> = {
  get: (objects, address) => ({ content: contentOf(objects.get(address)) }),
  list: (objects, address, { query }) => {
    const { items, metadata } = listPage(objects.storage, address, query);
    return { json: (how) => showList(address.kind, address.version, items, how, metadata) };
  },
  watch: () => ({}),
  create: (objects, address, call) => {
    const { object } = objects.create(address, parseBody(call), writeOptions(call));
    return { code: 201, content: object };
  },
  update: (objects, address, call) => {
    if (address.name === '') throw badRequest('name must be provided');
    const { object, created } = objects.replace(address, parseBody(call), writeOptions(call));
    return { code: created ? 201 : 200, content: object };
  },
  patch: (objects, address, call) => {
    const patched = patch(objects, address, call);
    return { code: patched.created ? 201 : 200, content: patched.object };
  },
  delete: (objects, address, call) => {
    const { object, gone } = objects.delete(address, deleteOptions(call));
    if (!gone) return { content: object };
    const { name, kind } = address;
    const uid = member(object['metadata'], 'uid');
    const details = { name, ...(kind.group === '' ? {} : { group: kind.group }), kind: kind.plural, uid };
    const status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details };
    return { json: () => JSON.stringify(status) };
  },
  deletecollection: (objects, address, call) => {
    const { items, metadata } = listPage(objects.storage, address, call.query);
    for (const { namespace, name } of items)
      objects.delete({ ...address, namespace, name }, deleteOptions(call));
    return { json: (how) => showList(address.kind, address.version, items, how, metadata) };
  },
};

function patch(objects: Objects, address: Address, call: Call): ReturnType<Objects['patch']> {
  const type = (call.request.headers['content-type'] ?? '').split(';')[0]?.trim();
  const options = writeOptions(call);
  const types = ['json-patch+json', 'merge-patch+json', 'apply-patch+yaml'];
  if (!address.kind.custom) types.push('strategic-merge-patch+json');
  if (!types.includes(type?.replace('application/', '') ?? '')) {
    const accepted = types.map((name) => `application/${name}`).join(', ');
    const message = `the body of the request was in an unknown format - accepted media types include: ${accepted}`;
    throw new Failure(415, 'UnsupportedMediaType', message);
  }
  const body = parseBody(call);
  if (type === 'application/apply-patch+yaml') {
    if (!call.query.get('fieldManager')) {
      const message = 'Required value: is required for apply patch';
      const cause = { reason: 'FieldValueRequired', message, field: 'fieldManager' };
      throw invalid({ ...address.kind, group: 'meta.k8s.io', kind: 'PatchOptions' }, '', [cause]);
    }
    return objects.apply(address, body, { ...options, force: call.query.get('force') === 'true' });
  }
  if (type === 'application/json-patch+json')
    return objects.patch(address, (old) => jsonPatch(old, body), options);
  if (!isJsonObject(body)) throw badRequest('error decoding patch: a patch is an object');
  const change = type === 'application/merge-patch+json' ? mergePatch : strategicPatch;
  return objects.patch(address, (old) => change(old, body), options);
}

function parseBody(call: Call): Json {
  const type = call.request.headers['content-type'] ?? 'application/json';
  const reader = [...readers].find(([name]) => type.includes(name))?.[1];
  if (reader === undefined) {
    const message = `the body of the request was in an unknown format: ${type}`;
    throw new Failure(415, 'UnsupportedMediaType', message);
  }
  try {
    return reader(call.body);
  } catch (error) {
    throw badRequest(`the object provided is unrecognized: parse error: ${String(error).split('\n')[0]}`);
  }
}

const readers: ReadonlyMap<string, (body: Buffer) => Json> = new Map([
  ['protobuf', decodeObject],
  ['yaml', (body: Buffer) => parseYaml(body.toString())],
  ['json', (body: Buffer) => parseJson(body.toString())],
]);

/** JSON is YAML, and much faster to read as what it is. */
function parseYaml(text: string): Json {
  return /^\s*\{/.test(text) ? parseJson(text) : (at(parse(text)) ?? null);
}

function deleteOptions(call: Call): JsonObject {
  const options = call.body.length === 0 ? {} : parseBody(call);
  const dryRun = call.query.get('dryRun');
  return { ...objectOf(options), ...(dryRun === null ? {} : { dryRun }) };
}

function writeOptions(call: Call): WriteOptions {
  const [program = ''] = call.about.userAgent.split('/');
  const manager = call.query.get('fieldManager') || program || 'unknown';
  return {
    manager: manager.slice(0, 128),
    dryRun: call.query.get('dryRun') === 'All',
    strict: call.query.get('fieldValidation') === 'Strict',
  };
}
