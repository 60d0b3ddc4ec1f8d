import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Address, addressOf, describe } from './address.ts';
import { discover } from './discovery.ts';
import { Failure, notFound } from './failure.ts';
import type { Fault, Faults } from './faults.ts';
import { qualified } from './kinds.ts';
import type { Objects } from './objects.ts';
import { representation, showContent } from './representation.ts';
import type { Requests } from './requests.ts';
import { type Call, verbs } from './verbs.ts';
import type { Watches } from './watches.ts';

const bodyLimit = 3 * 1024 * 1024;

/** What requests are answered with. */
export interface Backing {
  readonly token: string;
  readonly objects: Objects;
  readonly watches: Watches;
  readonly faults: Faults;
  readonly requests: Requests;
}

interface AnyCall extends Call {
  readonly response: ServerResponse;
  /** What the client's address has before the path. */
  readonly prefix: string;
  readonly path: string;
  readonly address: Address | undefined;
  readonly faults: readonly Fault[];
}

interface Answer {
  readonly code: number;
  readonly json: string;
  readonly retryAfter?: number;
}

/** Answers one request, with the faults that strike it, and logs it. */
export async function answer(
  backing: Backing,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const prefix = stripToken(request, backing.token);
  const url = new URL(request.url ?? '/', 'http://sandbox');
  const address = addressOf(url.pathname);
  const about = describe(request, address, url.searchParams);
  const faults = backing.faults.for(about);
  let bytes = 0;
  const log = (status: number) => backing.requests.add({ ...about, status, bytes });
  const reset = (when: 'before' | 'after') =>
    faults.some((fault) => fault.kind === 'reset' && fault.when === when);
  try {
    const body = await readBody(request);
    bytes = body.length;
    for (const fault of faults) if (fault.kind === 'latency') await sleep(fault.milliseconds);
    if (reset('before')) {
      log(0);
      request.socket.resetAndDestroy();
      return;
    }
    const authorized = prefix !== '' || request.headers.authorization === `Bearer ${backing.token}`;
    if (!authorized) throw new Failure(401, 'Unauthorized', 'Unauthorized');
    const { pathname: path, searchParams: query } = url;
    const call = {
      request,
      response,
      prefix,
      path,
      query,
      address,
      about,
      body,
      faults,
    };
    const given = faulty(faults) ?? perform(backing, call);
    log(reset('after') ? 0 : (given?.code ?? 200));
    if (reset('after')) request.socket.resetAndDestroy();
    else if (given !== undefined) respond(response, given);
  } catch (error) {
    if (request.socket.destroyed) return;
    const failure = failureOf(error);
    log(failure.code);
    respond(response, { code: failure.code, json: JSON.stringify(failure.status()) });
  }
}

/** kubectl sends no token over plain HTTP, so its kubeconfig has it in the address. Takes it away, and returns it so. */
function stripToken(request: IncomingMessage, token: string): string {
  const prefix = `/${token}`;
  if (request.url?.startsWith(`${prefix}/`) !== true) return '';
  request.url = request.url.slice(prefix.length);
  return prefix;
}

function failureOf(error: unknown): Failure {
  if (error instanceof Failure) return error;
  return new Failure(500, 'InternalError', `the sandbox itself failed: ${String(error)}`);
}

async function readBody(request: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size <= bodyLimit) chunks.push(chunk);
  }
  const message = `Request entity too large: limit is ${bodyLimit}`;
  if (size > bodyLimit) throw new Failure(413, 'RequestEntityTooLarge', message);
  return Buffer.concat(chunks);
}

function faulty(faults: readonly Fault[]): Answer | undefined {
  const fault = faults.find((entry) => entry.kind === 'status');
  if (fault === undefined) return undefined;
  const reason =
    { 429: 'TooManyRequests', 500: 'InternalError', 503: 'ServiceUnavailable' }[fault.code] ?? '';
  const details = fault.retryAfter === undefined ? undefined : { retryAfterSeconds: fault.retryAfter };
  const json = JSON.stringify(new Failure(fault.code, reason, 'a fault on demand', details).status());
  return {
    code: fault.code,
    json,
    ...(fault.retryAfter === undefined ? {} : { retryAfter: fault.retryAfter }),
  };
}

function respond(response: ServerResponse, given: Answer): void {
  response.writeHead(given.code, {
    ...{ 'content-type': 'application/json', 'cache-control': 'no-cache, private' },
    'content-length': Buffer.byteLength(given.json),
    ...(given.retryAfter === undefined ? {} : { 'retry-after': String(given.retryAfter) }),
  });
  response.end(given.json);
}

/** Undefined when the answer goes on by itself: a watch. */
function perform(backing: Backing, call: AnyCall): Answer | undefined {
  const { request, address, query, about } = call;
  const accept = request.headers.accept ?? '';
  if (address === undefined) {
    const found =
      request.method === 'GET' ? discover(call.path.replace(/(.)\/$/, '$1'), call.prefix) : undefined;
    if (found === undefined) throw notFound();
    return { code: 200, json: typeof found === 'string' ? found : JSON.stringify(found) };
  }
  const { kind, version, subresource } = address;
  const verb = verbs[about.verb];
  if (verb === undefined || (subresource !== '' && !['get', 'update', 'patch'].includes(about.verb))) {
    const details = { ...(kind.group === '' ? {} : { group: kind.group }), kind: kind.plural };
    const message = `${about.verb} is not supported on resources of kind "${qualified(kind)}"`;
    throw new Failure(405, 'MethodNotAllowed', message, details);
  }
  const list = about.verb === 'list' || about.verb === 'deletecollection';
  const how = representation(accept, query, list);
  if (about.verb === 'watch') {
    const silent = call.faults.some((fault) => fault.kind === 'silence');
    backing.watches.serve(address, query, how, call.response, {
      silent,
      expiredAs: backing.faults.expiredAs,
    });
    return undefined;
  }
  const { code = 200, content, json } = verb(backing.objects, address, call);
  return { code, json: json?.(how) ?? showContent(kind, version, content ?? {}, how) };
}
