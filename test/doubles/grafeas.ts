import { randomUUID } from 'node:crypto';
import type { TestContext } from 'node:test';
import { at, isJsonList, isJsonObject, type Json, type JsonObject, member } from '../../src/json.ts';
import { failure, type Google, startGoogle } from './google.ts';
import { complaint, type Type } from './proto-json.ts';
import { type Answer, jsonOf, type Request } from './web.ts';

/** Container Analysis v1 of the project `acme`. */
export interface Grafeas extends Google {
  /** By name. */
  readonly notes: Map<string, JsonObject>;
  readonly occurrences: JsonObject[];
}

const subject: Type = { name: 'string', digest: 'map<string, string>' };
const resource: Type = {
  name: 'string',
  uri: 'string',
  digest: 'map<string, string>',
  content: 'bytes',
  downloadLocation: 'string',
  mediaType: 'string',
  annotations: 'map<string, Value>',
};
const slsaV02: Type = {
  builder: { id: 'string' },
  buildType: 'string',
  invocation: {
    configSource: { uri: 'string', digest: 'map<string, string>', entryPoint: 'string' },
    parameters: 'Struct',
    environment: 'Struct',
  },
  buildConfig: 'Struct',
  metadata: {
    buildInvocationId: 'string',
    buildStartedOn: 'Timestamp',
    buildFinishedOn: 'Timestamp',
    completeness: { parameters: 'bool', environment: 'bool', materials: 'bool' },
    reproducible: 'bool',
  },
  materials: [{ uri: 'string', digest: 'map<string, string>' }],
};
const slsaV1: Type = {
  buildDefinition: {
    buildType: 'string',
    externalParameters: 'Struct',
    internalParameters: 'Struct',
    resolvedDependencies: [resource],
  },
  runDetails: {
    builder: { id: 'string', version: 'map<string, string>', builderDependencies: [resource] },
    metadata: { invocationId: 'string', startedOn: 'Timestamp', finishedOn: 'Timestamp' },
    byproducts: [resource],
  },
};
const head = { _type: 'string', subject: [subject], predicateType: 'string' } as const;
const occurrenceType: Type = {
  resourceUri: 'string',
  noteName: 'string',
  attestation: {
    serializedPayload: 'bytes',
    signatures: [{ signature: 'bytes', publicKeyId: 'string' }],
  },
  build: {
    intotoStatement: { ...head, slsaProvenanceZeroTwo: slsaV02 },
    inTotoSlsaProvenanceV1: { ...head, predicate: slsaV1 },
  },
  envelope: { payload: 'bytes', payloadType: 'string', signatures: [{ sig: 'bytes', keyid: 'string' }] },
};
const noteType: Type = {
  shortDescription: 'string',
  attestation: { hint: { humanReadableName: 'string' } },
  build: { builderVersion: 'string' },
};

/** Few, so that lists have pages. */
const pageSize = 2;

const details = ['attestation', 'build'] as const;
const kindOf = (value: Json | undefined) =>
  details.filter((name) => member(value, name) !== undefined).join();
const invalid = (message: string): Answer => failure(400, 'INVALID_ARGUMENT', message);
const missing = (name: string): Answer =>
  failure(404, 'NOT_FOUND', `Requested entity ${name} was not found.`);

/** Starts Container Analysis for one test. It takes what its protobuf has a field for, and refuses everything else. */
export async function startGrafeas(context: TestContext): Promise<Grafeas> {
  const notes = new Map<string, JsonObject>();
  const occurrences: JsonObject[] = [];

  function respond({ method, url, body }: Request): Answer {
    const path = decodeURIComponent(url.pathname).replace(/^\/v1\//, '');
    const [, project = '', rest = ''] = /^projects\/([^/]+)\/(.*)$/.exec(path) ?? [];
    if (project !== 'acme')
      return failure(403, 'PERMISSION_DENIED', `Permission denied on project ${project}.`);
    const [, noteId = '', more = ''] = /^notes\/([^/]+)(\/occurrences)?$/.exec(rest) ?? [];
    const note = `projects/${project}/notes/${noteId}`;
    if (method === 'GET' && more !== '') return list(note, url.searchParams);
    if (method === 'GET' && noteId !== '') return give(notes.get(note), note);
    if (method === 'POST' && rest === 'notes') {
      return createNote(`projects/${project}/notes/`, url.searchParams.get('noteId') ?? '', jsonOf(body));
    }
    if (method === 'POST' && rest === 'occurrences') return createOccurrence(project, jsonOf(body));
    return { status: 404, text: '<!DOCTYPE html>' };
  }

  function give(found: JsonObject | undefined, name: string): Answer {
    return found === undefined ? missing(name) : { status: 200, json: found };
  }

  function list(note: string, query: URLSearchParams): Answer {
    if (!notes.has(note)) return missing(note);
    const [, quoted] = /^resourceUrl=("(?:[^"\\]|\\.)*")$/.exec(query.get('filter') ?? '') ?? [];
    if (quoted === undefined) return invalid('Invalid filter');
    const wanted: unknown = JSON.parse(quoted);
    const found = occurrences.filter(
      ({ noteName, resourceUri }) => noteName === note && resourceUri === wanted,
    );
    const from = Number(query.get('pageToken') ?? 0);
    const next = from + pageSize < found.length ? { nextPageToken: `${from + pageSize}` } : {};
    return { status: 200, json: { occurrences: found.slice(from, from + pageSize), ...next } };
  }

  function createNote(parent: string, noteId: string, note: Json | undefined): Answer {
    if (!/^[\w-]{1,128}$/.test(noteId)) return invalid('note_id is not valid');
    const wrong = complaint(note, noteType);
    if (wrong !== undefined || !isJsonObject(note)) return invalid(wrong ?? 'note is required');
    const required = {
      attestation: at(note, 'attestation', 'hint', 'humanReadableName'),
      build: at(note, 'build', 'builderVersion'),
    };
    const kind = kindOf(note);
    if (kind !== 'attestation' && kind !== 'build') return invalid('exactly one type must be set');
    if ((required[kind] ?? '') === '') return invalid(`${kind} lacks a required field`);
    const name = parent + noteId;
    if (notes.has(name)) return failure(409, 'ALREADY_EXISTS', `note ${name} already exists`);
    const created = { ...note, name, kind: kind.toUpperCase() };
    notes.set(name, created);
    return { status: 200, json: created };
  }

  function createOccurrence(project: string, occurrence: Json | undefined): Answer {
    const wrong = complaint(occurrence, occurrenceType);
    if (wrong !== undefined || !isJsonObject(occurrence)) return invalid(wrong ?? 'occurrence is required');
    const { noteName, resourceUri } = occurrence;
    const note = notes.get(String(noteName));
    if (note === undefined) return missing(String(noteName));
    const kind = kindOf(occurrence);
    if (kindOf(note) !== kind) return invalid(`the note is of the kind ${String(note['kind'])}`);
    if ((resourceUri ?? '') === '') return invalid('resource_uri is required');
    const signatures = at(occurrence, 'attestation', 'signatures');
    const unnamed = (isJsonList(signatures) ? signatures : []).some((one) => !member(one, 'publicKeyId'));
    if (unnamed) return invalid('public_key_id is required');
    if (kind === 'build' && Object.keys(Object(occurrence['build'])).length !== 1)
      return invalid('build is empty');
    const created = {
      ...occurrence,
      name: `projects/${project}/occurrences/${randomUUID()}`,
      kind: kind.toUpperCase(),
    };
    occurrences.push(created);
    return { status: 200, json: created };
  }

  const google = await startGoogle(context, {
    host: 'containeranalysis.googleapis.com',
    scopes: ['https://www.googleapis.com/auth/cloud-platform'],
    respond,
  });
  return Object.assign(google, { notes, occurrences });
}
