import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { authority } from '../sign/kms/environment.ts';
import { type Gate, type GateAnswer, type GateRequest, openGate, type Respond } from './gate.ts';
import { GoogleAccounts, tokenServer } from './google-accounts.ts';
import { startTunnel } from './tunnel.ts';

/** One of Google's services in this process, found under its own name, with the token endpoint beside it. */
export interface Google {
  readonly service: Gate;
  readonly tokens: Gate;
  /** A new file with the key of a service account that may do everything, or nothing. */
  account(may: 'everything' | 'nothing'): Promise<string>;
  close(): Promise<void>;
}

/** An error as Google's JSON APIs write it. */
export function googleError(status: number, name: string, message: string): GateAnswer {
  return {
    status,
    json: {
      error: { code: status, message, status: name, errors: [{ message, domain: 'global', reason: name }] },
    },
  };
}

/**
 * Starts `respond` behind TLS, the name `host` and the check of bearer tokens for the scope; this process reaches it by
 * the proxy that it names in the environment until it is closed.
 */
export async function startGoogle(
  host: string,
  scopes: readonly string[],
  respond: Respond,
): Promise<Google> {
  const accounts = new GoogleAccounts<'everything' | 'nothing'>();
  let made = 0;
  const pair = authority.issue('Google', [host, tokenServer]);
  const service = await openGate(guarded, pair);
  const tokens = await openGate(token, pair);
  const tunnel = await startTunnel({ [host]: service.port, [tokenServer]: tokens.port });
  const folder = await mkdtemp(join(tmpdir(), 'chains-google-'));
  process.env['HTTPS_PROXY'] = tunnel.url;
  return {
    service,
    tokens,
    async account(may) {
      made += 1;
      const email = `${may}-${made}@p.iam.gserviceaccount.com`;
      const file = join(folder, `${email}.json`);
      await writeFile(file, accounts.keyFile(email, may));
      return file;
    },
    async close() {
      delete process.env['HTTPS_PROXY'];
      await Promise.all([service.close(), tokens.close(), tunnel.close(), rm(folder, { recursive: true })]);
    },
  };

  function token({ url, body }: GateRequest): GateAnswer {
    return url.pathname === '/token' ? accounts.exchange(body.toString('utf8')) : { status: 404 };
  }

  function guarded(request: GateRequest): GateAnswer | Promise<GateAnswer> {
    // The address of an upload's session is its own credential.
    if (request.url.searchParams.has('upload_id')) return respond(request);
    const caller = accounts.holderOf(request.headers.authorization);
    if (caller === undefined) {
      return googleError(401, 'UNAUTHENTICATED', 'Request had invalid authentication credentials.');
    }
    if (!caller.scopes.some((scope) => scopes.includes(scope))) {
      return googleError(403, 'PERMISSION_DENIED', 'Request had insufficient authentication scopes.');
    }
    if (caller.role === 'nothing') {
      return googleError(
        403,
        'PERMISSION_DENIED',
        'The account does not have permission, or it may not exist.',
      );
    }
    return respond(request);
  }
}
