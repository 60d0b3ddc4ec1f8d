import { createPublicKey, generateKeyPairSync, randomBytes, verify } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { member } from '../../src/model/json.ts';
import { serveProxy } from '../kubernetes/servers.ts';
import { authority } from '../sign/kms/environment.ts';
import { type Answer, firstly, jsonOf, type Request, startWeb, type Trouble, type Web } from './web.ts';

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

const tokenServer = 'oauth2.googleapis.com';

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
  const accounts = new Map<string, { readonly publicKey: string; readonly role: Role }>();
  const tokens = new Map<string, { readonly role: Role; readonly scopes: readonly string[] }>();
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
    const token = tokens.get(String(request.headers.authorization).replace(/^Bearer /, ''));
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

  /** RFC 7523: a JWT that the account's key signed. */
  function giveToken({ url: { pathname }, body }: Request): Answer {
    if (pathname !== '/token') return { status: 404 };
    const form = new URLSearchParams(body.toString('utf8'));
    const assertion = form.get('assertion') ?? '';
    const [header = '', payload = '', signature = ''] = assertion.split('.');
    const claims = jsonOf(Buffer.from(payload, 'base64url'));
    const account = accounts.get(String(member(claims, 'iss')));
    const now = Date.now() / 1_000;
    const valid =
      form.get('grant_type') === 'urn:ietf:params:oauth:grant-type:jwt-bearer' &&
      account !== undefined &&
      member(claims, 'aud') === `https://${tokenServer}/token` &&
      Number(member(claims, 'exp')) > now &&
      Number(member(claims, 'iat')) <= now + 60 &&
      verify(
        'sha256',
        Buffer.from(`${header}.${payload}`),
        createPublicKey(account.publicKey),
        Buffer.from(signature, 'base64url'),
      );
    if (!valid) {
      return { status: 400, json: { error: 'invalid_grant', error_description: 'Invalid JWT Signature.' } };
    }
    const token = `ya29.${randomBytes(12).toString('hex')}`;
    tokens.set(token, { role: account.role, scopes: String(member(claims, 'scope')).split(' ') });
    return { status: 200, json: { access_token: token, expires_in: 3_599, token_type: 'Bearer' } };
  }

  const google: Google = Object.assign(web, {
    async signInAs(role: Role, project = 'acme') {
      const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
      const email = `${role}@${project}.iam.gserviceaccount.com`;
      if (role !== 'stranger') {
        accounts.set(email, {
          publicKey: publicKey.export({ format: 'pem', type: 'spki' }).toString(),
          role,
        });
      }
      const file = join(folder, `${role}.json`);
      const account = {
        type: 'service_account',
        project_id: project,
        private_key_id: '1',
        private_key: privateKey.export({ format: 'pem', type: 'pkcs8' }),
        client_email: email,
        token_uri: `https://${tokenServer}/token`,
      };
      await writeFile(file, JSON.stringify(account));
      process.env['GOOGLE_APPLICATION_CREDENTIALS'] = file;
    },
    revokeTokens: () => tokens.clear(),
  });
  await google.signInAs('writer');
  return google;
}
