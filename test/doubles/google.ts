import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { serveProxy } from '../kubernetes/servers.ts';
import { authority } from '../sign/kms/environment.ts';
import { GoogleAccounts, tokenServer } from './google-accounts.ts';
import { type Answer, firstly, type Request, startWeb, type Trouble, type Web } from './web.ts';

/** What an account may do: everything, look but not write, or nothing, since its key isn't known. */
export type Role = 'writer' | 'reader' | 'stranger';

/** One of Google's APIs. */
export interface GoogleApi {
  readonly host: string;
  /** The scopes that open it. */
  readonly scopes: readonly string[];
  /** Answers a call whose token is good. */
  respond(request: Request): Answer;
}

/** One of Google's APIs and its token server, under their own names behind a proxy. */
export interface Google extends Web {
  /** From now on this process's default credentials are those of such an account. */
  signInAs(role: Role, project?: string): Promise<void>;
  /** Lets every token end at once. */
  revokeTokens(): void;
}

/** The error of one of Google's APIs. */
export function failure(code: number, status: string, message: string): Answer {
  return { status: code, json: { error: { code, status, message } } };
}

/** Meets the first call of the API with `give`, or all of them, and never the token server's. */
export function atApi(give: ReturnType<Trouble>, times = 1): Trouble {
  return firstly(give, times, ({ url }) => url.hostname !== tokenServer);
}

/** Starts an API for one test, signed in as a writer of the project `acme`. */
export async function startGoogle(context: TestContext, api: GoogleApi): Promise<Google> {
  const accounts = new GoogleAccounts<Exclude<Role, 'stranger'>>();
  const folder = await mkdtemp(join(tmpdir(), 'chains-google-'));
  const web = await startWeb(respond, authority.issue('Google', [api.host, tokenServer]));
  const { url } = await serveProxy(context, web.port);
  const before = { ...process.env };
  Object.assign(process.env, { HTTPS_PROXY: url, NO_PROXY: '127.0.0.1' });
  context.after(async () => {
    process.env = before;
    await web.close();
    await rm(folder, { recursive: true });
  });

  function respond(request: Request): Answer {
    if (request.url.hostname === tokenServer) return giveToken(request);
    const token = accounts.holderOf(request.headers.authorization);
    if (token === undefined) {
      return failure(401, 'UNAUTHENTICATED', 'Request had invalid authentication credentials.');
    }
    if (!token.scopes.some((scope) => api.scopes.includes(scope))) {
      return failure(403, 'PERMISSION_DENIED', 'Request had insufficient authentication scopes.');
    }
    if (token.role === 'reader' && request.method !== 'GET') {
      return failure(403, 'PERMISSION_DENIED', 'The caller does not have permission');
    }
    return api.respond(request);
  }

  function giveToken({ url: { pathname }, body }: Request): Answer {
    return pathname === '/token' ? accounts.exchange(body.toString('utf8')) : { status: 404 };
  }

  const google: Google = Object.assign(web, {
    async signInAs(role: Role, project = 'acme') {
      const email = `${role}@${project}.iam.gserviceaccount.com`;
      const file = join(folder, `${role}.json`);
      await writeFile(file, accounts.keyFile(email, role === 'stranger' ? undefined : role, project));
      process.env['GOOGLE_APPLICATION_CREDENTIALS'] = file;
    },
    revokeTokens: () => accounts.revokeTokens(),
  });
  await google.signInAs('writer');
  return google;
}
