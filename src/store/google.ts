import { GoogleAuth } from 'google-auth-library';
import { type Dispatcher, EnvHttpProxyAgent } from 'undici';
import { type ChainsError, reasonOf } from '../model/errors.ts';
import { at, type Json, parseJson } from '../model/json.ts';
import { version } from '../model/version.ts';
import { refusal, unanswered, unusable } from './failures.ts';

/** One of Google’s services, or an emulator in its place. */
export interface GoogleOptions {
  /** `https://storage.googleapis.com`, without a slash at the end. */
  readonly origin: string;
  /** The OAuth scope that the calls need. */
  readonly scope: string;
  /** True for an emulator: no credentials are looked for. */
  readonly emulated: boolean;
  /** How long to wait for an answer, and between two pieces of it, in milliseconds. */
  readonly timeout?: number | undefined;
}

/** A call to a REST API of Google’s. */
export interface GoogleCall {
  /** For messages: `write gs://bucket/object`. */
  readonly what: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path and query, or a whole URL that the service itself gave. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  /** Statuses beside 2xx that are answers and no failures. */
  readonly expected?: readonly number[];
  readonly signal?: AbortSignal | undefined;
  /** What to do about a refusal. */
  readonly hint?: string | undefined;
}

/** A whole answer. */
export interface GoogleAnswer {
  readonly status: number;
  readonly headers: Dispatcher.ResponseData['headers'];
  readonly body: Uint8Array;
}

/** A connection to one of Google’s services. */
export interface GoogleService {
  /** Calls, and reads the whole answer. @throws ChainsError STORE_REFUSED or STORE_UNAVAILABLE */
  call(call: GoogleCall): Promise<GoogleAnswer>;
  close(): Promise<void>;
}

/** What the emulators take for a credential that may do everything. */
const ownerOfEmulator = 'owner';

/**
 * Opens a service with application default credentials: the file in `GOOGLE_APPLICATION_CREDENTIALS` (service account,
 * workload identity federation), gcloud’s, or the metadata server’s (workload identity in GKE). Connections go by the
 * proxy of `HTTPS_PROXY` and `NO_PROXY` where there is one.
 */
export function openGoogle({ origin, scope, emulated, timeout = 30_000 }: GoogleOptions): GoogleService {
  // Without a project, the library asks the metadata server or the Resource Manager for one, which few accounts may do.
  const credentials = (): GoogleAuth => new GoogleAuth({ scopes: scope, projectId: 'none' });
  let auth = credentials();
  const connections = new EnvHttpProxyAgent({
    connections: 16,
    allowH2: false,
    connect: { timeout: Math.min(timeout, 10_000) },
    headersTimeout: timeout,
    bodyTimeout: timeout,
  });

  /** The library lets every later call wait for a token that doesn’t come, so it is asked anew after that. */
  async function within(token: Promise<string>, { what, signal }: GoogleCall): Promise<string> {
    const limit = AbortSignal.timeout(timeout);
    const { promise, reject } = Promise.withResolvers<never>();
    const stop = (): void => reject(unanswered(what, `no access token within ${timeout} ms`));
    for (const one of [limit, signal]) one?.addEventListener('abort', stop);
    try {
      return await Promise.race([token, promise]);
    } catch (error) {
      auth = credentials();
      signal?.throwIfAborted();
      throw error;
    } finally {
      for (const one of [limit, signal]) one?.removeEventListener('abort', stop);
    }
  }

  async function attempt(call: GoogleCall): Promise<GoogleAnswer> {
    call.signal?.throwIfAborted();
    const url = new URL(call.path, origin);
    const token = emulated ? ownerOfEmulator : await within(accessToken(auth, call.what), call);
    // A session's address is its own credential, wherever the service says that it is.
    const authorization = url.origin === new URL(origin).origin ? { authorization: `Bearer ${token}` } : {};
    try {
      const { statusCode, headers, body } = await connections.request({
        origin: url.origin,
        path: url.pathname + url.search,
        method: call.method,
        headers: { 'user-agent': `tekton-chains/${version}`, ...call.headers, ...authorization },
        body: call.body ?? null,
        signal: call.signal ?? null,
      });
      return { status: statusCode, headers, body: await body.bytes() };
    } catch (error) {
      call.signal?.throwIfAborted();
      throw unanswered(call.what, error);
    }
  }

  return {
    async call(call) {
      const answer = await attempt(call);
      const { status, headers } = answer;
      if ((status >= 200 && status < 300) || call.expected?.includes(status) === true) return answer;
      // A token that is refused is not shown again; the next one may come of a credential that was mended.
      if (status === 401) auth = credentials();
      throw refusal(call.what, status, reasonIn(answer), {
        retryAfter: headers['retry-after'],
        hint: status === 401 || status === 403 ? call.hint : undefined,
      });
    },
    close: () => connections.close(),
  };
}

/** The JSON of an answer. @throws ChainsError STORE_UNAVAILABLE when there is none */
export function jsonOf(what: string, { body }: GoogleAnswer): Json {
  try {
    return parseJson(Buffer.from(body).toString('utf8'));
  } catch (error) {
    throw unanswered(what, error);
  }
}

/** The service’s own words; a page of a proxy is no use to anybody. */
function reasonIn({ body }: GoogleAnswer): string {
  const text = Buffer.from(body).toString('utf8');
  try {
    const error = at(parseJson(text), 'error');
    const words = [at(error, 'status'), at(error, 'message') ?? error];
    return words.filter((word) => typeof word === 'string').join(': ');
  } catch {
    return text.trimStart().startsWith('<') ? '' : text;
  }
}

async function accessToken(auth: GoogleAuth, what: string): Promise<string> {
  const task = `${what}: get an access token`;
  try {
    const token = await auth.getAccessToken();
    if (typeof token === 'string' && token !== '') return token;
  } catch (error) {
    throw credentialFailure(task, error);
  }
  throw unusable(`${task}: the application default credentials gave none`);
}

/**
 * The library’s errors carry what the token’s server answered, or the code of the socket’s error; and the request with
 * the credential in it, so that they are no cause of ours.
 */
function credentialFailure(task: string, error: unknown): ChainsError {
  const status = error instanceof Error && 'status' in error ? Number(error.status) : Number.NaN;
  if (status >= 400) return refusal(task, status, reasonOf(error));
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (/^E[A-Z_]+$/.test(code) && code !== 'ENOENT') return unanswered(task, reasonOf(error));
  return unusable(
    `${task}: ${reasonOf(error)}; set GOOGLE_APPLICATION_CREDENTIALS, or let the pod’s service account act as one of Google’s (workload identity)`,
  );
}
