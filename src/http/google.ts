import { GoogleAuth } from 'google-auth-library';
import { ChainsError, reasonOf } from '../errors.ts';
import { at } from '../json.ts';
import type { Failures } from './failures.ts';
import { type ServiceAnswer, openService, type Service, type ServiceOptions, words } from './service.ts';

/** How to reach one of Google's services, or an emulator in its place. */
export interface GoogleOptions {
  /** `https://storage.googleapis.com`, without a slash at the end; the URLs of calls may be relative to it. */
  readonly origin: string;
  /** The OAuth scope that the calls need. */
  readonly scope: string;
  readonly failures: Failures;
  /**
   * The project, or any text where none is needed: without one, the library asks the Resource Manager or the metadata
   * server, which few accounts may do. Undefined where `project()` is to find one.
   */
  readonly project?: string | undefined;
  /** True for an emulator, which needs no credentials. */
  readonly emulated?: boolean;
  /** Milliseconds for a token. */
  readonly timeout: number;
  /** Of a call: see {@link ServiceOptions}. */
  readonly limits: Pick<ServiceOptions, 'timeout' | 'silence' | 'longestAnswer'>;
}

/** One of Google's services, called with application default credentials. */
export interface GoogleService extends Service {
  /** The project of the environment (`GOOGLE_CLOUD_PROJECT`) or of the credential; undefined where neither has one. */
  project(signal?: AbortSignal): Promise<string | undefined>;
}

/** The token that emulators accept as that of an owner. */
const ownerOfEmulator = 'owner';

/** Opens one of Google's services. After a 401 the credentials are read again. */
export function openGoogle(options: GoogleOptions): GoogleService {
  const { origin, failures, emulated = false, limits } = options;
  const credentials = new Credentials(options);
  const service = openService({ failures, reasonIn, ...limits });
  return {
    async call(call) {
      const { what, signal } = call;
      signal?.throwIfAborted();
      const url = URL.parse(call.url, origin);
      // The address of an upload's session comes from the service.
      if (url === null) throw failures.unreadable(what, 'an address that is not a URL');
      const headers: Record<string, string> = { ...call.headers };
      // The address of an upload's session on another host is its own credential, and gets no token.
      if (url.origin === new URL(origin).origin) {
        const token = emulated ? ownerOfEmulator : await credentials.token(what, signal);
        headers['authorization'] = `Bearer ${token}`;
      }
      try {
        return await service.call({ ...call, url: url.href, headers });
      } catch (error) {
        // The token was refused; the credential may have been fixed since it was read.
        if (error instanceof ChainsError && error.status === 401) credentials.renew();
        throw error;
      }
    },
    project: (signal) => credentials.project(signal),
    close: () => service.close(),
  };
}

/** The reason in an answer; the page of a proxy is left out. */
function reasonIn({ body, bytes }: ServiceAnswer): string {
  const error = at(body, 'error');
  const reason = words([at(error, 'status'), at(error, 'message') ?? error]);
  if (reason !== '') return reason;
  const text = Buffer.from(bytes).toString('utf8');
  return text.trimStart().startsWith('<') ? '' : text;
}

/**
 * Application default credentials: the file in `GOOGLE_APPLICATION_CREDENTIALS` (service account, workload identity
 * federation), gcloud's, or the metadata server's (workload identity in GKE). Nothing is asked for before the first token.
 * After any failure they are read again: the library reads a file once, remembers that there was no project, and lets
 * every later call wait for the one that hangs.
 */
class Credentials {
  readonly #options: GoogleOptions;
  #auth: GoogleAuth;

  constructor(options: GoogleOptions) {
    this.#options = options;
    this.#auth = this.#open();
  }

  /**
   * An access token.
   * @param what the call that needs it, for messages
   * @throws ChainsError of the failures' codes; the signal's reason when that ends.
   */
  async token(what: string, signal: AbortSignal | undefined): Promise<string> {
    const { failures, timeout } = this.#options;
    const task = `${what}: get an access token`;
    const auth = this.#auth;
    try {
      const token = await failures.within(timeout, task, signal, () =>
        auth.getAccessToken().catch((error: unknown) => {
          throw failure(task, error, failures);
        }),
      );
      if (typeof token === 'string' && token !== '') return token;
    } catch (error) {
      this.renew(auth);
      throw error;
    }
    throw failures.unusable(`${task}: the application default credentials gave none`);
  }

  async project(signal: AbortSignal | undefined): Promise<string | undefined> {
    const { failures, timeout } = this.#options;
    const auth = this.#auth;
    let found: string | undefined;
    try {
      found = await failures.within(timeout, 'find the project', signal, () =>
        // The library throws the same error for every reason not to find one.
        auth.getProjectId().catch(() => undefined),
      );
      return found;
    } finally {
      if (found === undefined) this.renew(auth);
    }
  }

  /** Reads the credentials again, unless another caller has done so since they were `used`. */
  renew(used = this.#auth): void {
    if (this.#auth === used) this.#auth = this.#open();
  }

  #open(): GoogleAuth {
    const { scope, project } = this.#options;
    return new GoogleAuth({ scopes: scope, ...(project === undefined ? {} : { projectId: project }) });
  }
}

/** The library's errors carry the status of the token's server, or the code of a socket's error. */
function failure(task: string, error: unknown, failures: Failures): ChainsError {
  const status = error instanceof Error && 'status' in error ? Number(error.status) : Number.NaN;
  if (status >= 400) return failures.refusal(task, status, reasonOf(error));
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (/^E[A-Z_]+$/.test(code) && code !== 'ENOENT') return failures.unanswered(task, error);
  return failures.unusable(
    `${task}: ${reasonOf(error)}; set GOOGLE_APPLICATION_CREDENTIALS, or let the pod's service account act as one of Google's (workload identity)`,
  );
}
