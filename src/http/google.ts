import { ChainsError } from '../errors.ts';
import { at } from '../json.ts';
import type { Failures } from './failures.ts';
import { GoogleCredentials } from './google-credentials.ts';
import {
  type ServiceAnswer,
  type ServiceCall,
  openService,
  type Service,
  type ServiceOptions,
  words,
} from './service.ts';

/** How to reach one of Google's services, or an emulator in its place. */
export interface GoogleOptions {
  /** `https://storage.googleapis.com`, without a slash at the end; calls may name what is below it alone. */
  readonly origin: string;
  /** The OAuth scope that the calls need. */
  readonly scope: string;
  readonly failures: Failures;
  /** The project where it is known and counts; otherwise `project()` finds one. */
  readonly project?: string | undefined;
  /** True for an emulator: no credentials are looked for. */
  readonly emulated?: boolean;
  /** Milliseconds for a token. */
  readonly patience: number;
  /** Of a call: see {@link ServiceOptions}. */
  readonly limits: Pick<ServiceOptions, 'timeout' | 'silence' | 'longestAnswer'>;
}

/** One of Google's services, called with application default credentials. */
export interface GoogleService extends Service {
  /** The project of the environment (`GOOGLE_CLOUD_PROJECT`) or of the credential; undefined where neither has one. */
  project(signal?: AbortSignal): Promise<string | undefined>;
}

/** What the emulators take for a credential that may do everything. */
const ownerOfEmulator = 'owner';

/** Opens a service of Google's. After a 401 the credentials are read again. */
export function openGoogle(options: GoogleOptions): GoogleService {
  const { origin, scope, failures, project, emulated = false, patience, limits } = options;
  const credentials = new GoogleCredentials({ scope, project, failures, timeout: patience });
  const service = openService({ failures, reasonIn, ...limits });

  async function authorization(
    url: URL,
    { what, signal }: ServiceCall,
  ): Promise<Readonly<Record<string, string>>> {
    // The address of an upload's session is its own credential, wherever the service says that it is.
    if (url.origin !== new URL(origin).origin) return {};
    const token = emulated ? ownerOfEmulator : await credentials.token(what, signal);
    return { authorization: `Bearer ${token}` };
  }

  return {
    async call(call) {
      call.signal?.throwIfAborted();
      const url = URL.parse(call.url, origin);
      // The address of an upload's session comes from the service.
      if (url === null) throw failures.unreadable(call.what, 'an address that is not a URL');
      const headers = { ...call.headers, ...(await authorization(url, call)) };
      try {
        return await service.call({ ...call, url: url.href, headers });
      } catch (error) {
        // A token that is refused is not shown again; the next one may come of a credential that was fixed.
        if (error instanceof ChainsError && error.status === 401) credentials.renew();
        throw error;
      }
    },
    project: (signal) => credentials.project(signal),
    close: () => service.close(),
  };
}

/** The service's own words; the page of a proxy is left out. */
function reasonIn({ body, bytes }: ServiceAnswer): string {
  const error = at(body, 'error');
  const reason = words([at(error, 'status'), at(error, 'message') ?? error]);
  if (reason !== '') return reason;
  const text = Buffer.from(bytes).toString('utf8');
  return text.trimStart().startsWith('<') ? '' : text;
}
