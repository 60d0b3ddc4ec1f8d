import { type Contents, digestOf } from './contents.ts';
import { Refusal, unknown } from './refusal.ts';

/** A request to one repository. */
export interface RegistryCall {
  readonly method: string;
  readonly name: string;
  /** What follows the repository: `manifests`, `blobs`, `blobs/uploads`, `referrers` or `tags`. */
  readonly kind: string;
  /** What follows that: a tag, a digest, the id of an upload. */
  readonly reference: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
}

/** An answer. */
export interface RegistryAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

/** What routes work on. */
export interface RegistryBacking {
  /** Whether there is a referrers API. */
  readonly referrers: boolean;
  /** A repository, which need not have been there. */
  readonly contents: (name: string) => Contents;
}

type Route = (call: RegistryCall, backing: RegistryBacking) => RegistryAnswer;

const index = 'application/vnd.oci.image.index.v1+json';

/** Every method of every kind of path (OCI distribution specification 1.1). */
const routes: Readonly<Record<string, Route>> = {
  'GET blobs': ({ name, reference }, { contents }) => {
    const body = contents(name).blobs.get(reference);
    if (body === undefined) throw unknown('BLOB');
    const headers = { 'content-type': 'application/octet-stream', 'docker-content-digest': reference };
    return { status: 200, headers, body };
  },
  'POST blobs/uploads': ({ name, query, body }, { contents }) => {
    const here = contents(name);
    const [mount, from, digest] = ['mount', 'from', 'digest'].map((key) => query.get(key));
    const other = from === null || from === undefined ? undefined : contents(from).blobs.get(mount ?? '');
    if (other !== undefined && mount !== null && mount !== undefined) {
      here.blobs.set(mount, other);
      return blobCreated(name, mount);
    }
    const id = here.begin();
    if (digest === null || digest === undefined) return uploading(name, id, 0);
    here.finish(id, body, digest);
    return blobCreated(name, digest);
  },
  'PATCH blobs/uploads': ({ name, reference, headers, body }, { contents }) => {
    const range = /^(\d+)-(\d+)$/.exec(headers['content-range'] ?? '');
    const length = contents(name).append(reference, body, range === null ? undefined : Number(range[1]));
    return uploading(name, reference, length);
  },
  'PUT blobs/uploads': ({ name, reference, query, body }, { contents }) => {
    const digest = query.get('digest') ?? '';
    contents(name).finish(reference, body, digest);
    return blobCreated(name, digest);
  },
  'GET manifests': ({ name, reference, headers }, { contents }) => {
    const { bytes, mediaType, digest } = contents(name).manifest(reference);
    const accept = headers['accept'] ?? '*/*';
    // As docker-registry does: what the client can't read is not there.
    if (!accept.includes('*/*') && !accept.includes(mediaType)) throw unknown('MANIFEST');
    return {
      status: 200,
      headers: { 'content-type': mediaType, 'docker-content-digest': digest },
      body: bytes,
    };
  },
  'PUT manifests': ({ name, reference, headers, body }, { contents, referrers }) => {
    const { digest, json } = contents(name).put(reference, body, headers['content-type'] ?? '');
    const { subject } = json;
    const known = referrers && typeof subject === 'object' && subject !== null && 'digest' in subject;
    return {
      status: 201,
      headers: {
        location: `/v2/${name}/manifests/${digest}`,
        'docker-content-digest': digest,
        ...(known ? { 'oci-subject': String(subject.digest) } : {}),
      },
    };
  },
  'GET referrers': ({ name, reference, query }, { contents, referrers }) => {
    if (!referrers) throw new Refusal(404, 'UNSUPPORTED', 'there is no referrers API');
    const wanted = query.get('artifactType');
    const manifests = contents(name)
      .referrers(reference)
      .filter(({ artifactType }) => wanted === null || artifactType === wanted);
    const body = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: index, manifests }));
    const filtered = wanted === null ? {} : { 'oci-filters-applied': 'artifactType' };
    return { status: 200, headers: { 'content-type': index, ...filtered }, body };
  },
  'GET tags': ({ name }, { contents }) => {
    const body = Buffer.from(JSON.stringify({ name, tags: [...contents(name).tags.keys()] }));
    return { status: 200, headers: { 'content-type': 'application/json' }, body };
  },
};

/** Answers a request. @throws Refusal */
export function route(call: RegistryCall, backing: RegistryBacking): RegistryAnswer {
  const method = call.method === 'HEAD' ? 'GET' : call.method;
  const found = Object.hasOwn(routes, `${method} ${call.kind}`)
    ? routes[`${method} ${call.kind}`]
    : undefined;
  if (found === undefined) throw new Refusal(405, 'UNSUPPORTED', `${call.method} is not supported here`);
  if (!/^[a-z0-9]+([._/-][a-z0-9]+|__[a-z0-9]+)*$/.test(call.name))
    throw new Refusal(400, 'NAME_INVALID', 'invalid repository name');
  return found(call, backing);
}

function uploading(name: string, id: string, length: number): RegistryAnswer {
  const headers = {
    location: `/v2/${name}/blobs/uploads/${id}?_state=${digestOf(Buffer.from(id)).slice(7, 15)}`,
    range: `0-${Math.max(0, length - 1)}`,
    'docker-upload-uuid': id,
  };
  return { status: 202, headers };
}

function blobCreated(name: string, digest: string): RegistryAnswer {
  const headers = { location: `/v2/${name}/blobs/${digest}`, 'docker-content-digest': digest };
  return { status: 201, headers };
}
