import { GoogleAuth } from 'google-auth-library';
import { oneLine } from '../model/answers.ts';
import { ChainsError, reasonOf } from '../model/errors.ts';
import { failure, type JsonService, openJsonService, type ServiceCall } from './json-service.ts';
import { within } from './within.ts';

/** How to reach a service of Google's. */
export interface GoogleServiceOptions {
  /** What the access token is to be good for. */
  readonly scope: string;
  /** The project where it is known; otherwise `project()` finds one. */
  readonly project?: string | undefined;
  /** Milliseconds for a token, and for a call. */
  readonly timeout: number;
  /** False for an emulator, which takes every call. */
  readonly authorized?: boolean;
}

/** A service of Google's, called with application default credentials. */
export interface GoogleService extends JsonService {
  /** The project of the environment (`GOOGLE_CLOUD_PROJECT`) or of the credential; undefined where neither has one. */
  project(signal?: AbortSignal): Promise<string | undefined>;
}

/**
 * Opens a service with the credentials in `GOOGLE_APPLICATION_CREDENTIALS` (service account, workload identity
 * federation), gcloud's, or the metadata server's (workload identity in GKE). Nothing is asked for before the first call;
 * after a 401 the credentials are read anew.
 */
export function openGoogleService(options: GoogleServiceOptions): GoogleService {
  const { scope, project, timeout, authorized = true } = options;
  // Without a project, the library asks the Resource Manager or the metadata server for one, which few accounts may do.
  const credentials = (): GoogleAuth =>
    new GoogleAuth({ scopes: scope, ...(project === undefined ? {} : { projectId: project }) });
  const service = openJsonService(timeout);
  let auth = credentials();

  async function authorization({ what, signal }: ServiceCall): Promise<Readonly<Record<string, string>>> {
    if (!authorized) return {};
    const task = `${what}: get an access token`;
    const asked = auth;
    const token = await within(timeout, task, signal, () => asked.getAccessToken()).catch(
      (error: unknown) => {
        // The library lets every later call wait for the one that hangs.
        if (auth === asked) auth = credentials();
        signal?.throwIfAborted();
        throw error instanceof ChainsError ? error : credentialFailure(task, error);
      },
    );
    if (typeof token !== 'string' || token === '') throw refused(`${task}: the credentials gave none`);
    return { authorization: `Bearer ${token}` };
  }

  return {
    async call(call) {
      const headers = { ...call.headers, ...(await authorization(call)) };
      try {
        return await service.call({ ...call, headers });
      } catch (error) {
        if (error instanceof ChainsError && error.status === 401) auth = credentials();
        throw error;
      }
    },
    async project(signal) {
      const asked = auth;
      const found = await within(timeout, 'find the project', signal, () =>
        // The library has one error for whatever kept it from finding one.
        asked.getProjectId().catch(() => undefined),
      );
      // It also remembers that there was none.
      if (found === undefined && auth === asked) auth = credentials();
      return found;
    },
    close: () => service.close(),
  };
}

/** The library's errors carry the status that the token's server answered with, or the code of the socket's error. */
function credentialFailure(task: string, error: unknown): ChainsError {
  const status = error instanceof Error && 'status' in error ? Number(error.status) : Number.NaN;
  if (status >= 400) return failure(task, status, reasonOf(error));
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (/^E[A-Z_]+$/.test(code) && code !== 'ENOENT') {
    return new ChainsError('STORE_UNAVAILABLE', oneLine(`${task}: no answer: ${reasonOf(error)}`), {
      cause: error,
    });
  }
  return refused(
    `${task}: ${reasonOf(error)}; set GOOGLE_APPLICATION_CREDENTIALS, or let the pod’s service account act as one of Google’s (workload identity)`,
    error,
  );
}

function refused(message: string, cause?: unknown): ChainsError {
  return new ChainsError('STORE_REFUSED', oneLine(message), { cause });
}
