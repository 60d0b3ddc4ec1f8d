import { GoogleAuth } from 'google-auth-library';
import { type ChainsError, reasonOf } from '../errors.ts';
import type { Failures } from './failures.ts';

/** Which credentials, and how long to wait for them. */
export interface CredentialOptions {
  /** What the access tokens are to be good for. */
  readonly scope: string;
  /**
   * The project, or any text where none is needed: without one, the library asks the Resource Manager or the metadata
   * server, which few accounts may do. Undefined where `project()` is to find one.
   */
  readonly project: string | undefined;
  /** How failures are reported. */
  readonly failures: Failures;
  /** Milliseconds for a token. */
  readonly timeout: number;
}

/**
 * Application default credentials: the file in `GOOGLE_APPLICATION_CREDENTIALS` (service account, workload identity
 * federation), gcloud's, or the metadata server's (workload identity in GKE). Nothing is asked for before the first token.
 * After whatever goes wrong they are read again: the library reads a file once, remembers that there was no project, and
 * lets every later call wait for the one that hangs.
 */
export class GoogleCredentials {
  readonly #options: CredentialOptions;
  #auth: GoogleAuth;

  constructor(options: CredentialOptions) {
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
    const asked = this.#auth;
    try {
      const token = await failures.within(timeout, task, signal, () =>
        asked.getAccessToken().catch((error: unknown) => {
          throw failure(task, error, failures);
        }),
      );
      if (typeof token === 'string' && token !== '') return token;
    } catch (error) {
      this.#renew(asked);
      throw error;
    }
    throw failures.unusable(`${task}: the application default credentials gave none`);
  }

  /** The project of the environment (`GOOGLE_CLOUD_PROJECT`) or of the credential; undefined where neither has one. */
  async project(signal: AbortSignal | undefined): Promise<string | undefined> {
    const { failures, timeout } = this.#options;
    const asked = this.#auth;
    let found: string | undefined;
    try {
      found = await failures.within(timeout, 'find the project', signal, () =>
        // The library has one error for whatever kept it from finding one.
        asked.getProjectId().catch(() => undefined),
      );
      return found;
    } finally {
      if (found === undefined) this.#renew(asked);
    }
  }

  /** Reads the credentials again, after a token was refused. */
  renew(): void {
    this.#auth = this.#open();
  }

  /** Unless another caller has done it since. */
  #renew(asked: GoogleAuth): void {
    if (this.#auth === asked) this.renew();
  }

  #open(): GoogleAuth {
    const { scope, project } = this.#options;
    return new GoogleAuth({ scopes: scope, ...(project === undefined ? {} : { projectId: project }) });
  }
}

/** The library's errors carry what the token's server answered, or the code of the socket's error. */
function failure(task: string, error: unknown, failures: Failures): ChainsError {
  const status = error instanceof Error && 'status' in error ? Number(error.status) : Number.NaN;
  if (status >= 400) return failures.refusal(task, status, reasonOf(error));
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (/^E[A-Z_]+$/.test(code) && code !== 'ENOENT') return failures.unanswered(task, error);
  return failures.unusable(
    `${task}: ${reasonOf(error)}; set GOOGLE_APPLICATION_CREDENTIALS, or let the pod's service account act as one of Google's (workload identity)`,
  );
}
