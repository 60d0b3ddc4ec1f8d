import { createPublicKey, generateKeyPairSync, randomBytes, verify } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { authority } from '../sign/kms/environment.ts';
import { type Gate, type GateAnswer, type GateRequest, openGate, type Respond } from './gate.ts';
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
  const accounts = new Map<string, { readonly publicKey: string; readonly may: string }>();
  const issued = new Map<string, { readonly may: string; readonly scopes: readonly string[] }>();
  const pair = authority.issue('Google', [host, 'oauth2.googleapis.com']);
  const service = await openGate(guarded, pair);
  const tokens = await openGate(token, pair);
  const tunnel = await startTunnel({ [host]: service.port, 'oauth2.googleapis.com': tokens.port });
  const folder = await mkdtemp(join(tmpdir(), 'chains-google-'));
  process.env['HTTPS_PROXY'] = tunnel.url;
  return {
    service,
    tokens,
    async account(may) {
      const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
      const email = `${may}-${accounts.size}@p.iam.gserviceaccount.com`;
      accounts.set(email, { may, publicKey: publicKey.export({ format: 'pem', type: 'spki' }).toString() });
      const file = join(folder, `${email}.json`);
      await writeFile(
        file,
        JSON.stringify({
          type: 'service_account',
          project_id: 'p',
          private_key_id: '1',
          private_key: privateKey.export({ format: 'pem', type: 'pkcs8' }),
          client_email: email,
          token_uri: 'https://oauth2.googleapis.com/token',
        }),
      );
      return file;
    },
    async close() {
      delete process.env['HTTPS_PROXY'];
      await Promise.all([service.close(), tokens.close(), tunnel.close(), rm(folder, { recursive: true })]);
    },
  };

  /** RFC 7523: a JWT that the account's key signed. */
  function token({ url, body }: GateRequest): GateAnswer {
    const assertion = new URLSearchParams(body.toString('utf8')).get('assertion') ?? '';
    const [header = '', payload = '', signature = ''] = assertion.split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as Record<string, string>;
    const account = accounts.get(claims['iss'] ?? '');
    const valid =
      url.pathname === '/token' &&
      account !== undefined &&
      verify(
        'sha256',
        Buffer.from(`${header}.${payload}`),
        createPublicKey(account.publicKey),
        Buffer.from(signature, 'base64url'),
      );
    if (!valid) {
      return { status: 400, json: { error: 'invalid_grant', error_description: 'Invalid JWT Signature.' } };
    }
    const access = `ya29.${randomBytes(12).toString('hex')}`;
    issued.set(access, { may: account.may, scopes: (claims['scope'] ?? '').split(' ') });
    return { status: 200, json: { access_token: access, expires_in: 3599, token_type: 'Bearer' } };
  }

  function guarded(request: GateRequest): GateAnswer | Promise<GateAnswer> {
    // The address of an upload's session is its own credential.
    if (request.url.searchParams.has('upload_id')) return respond(request);
    const caller = issued.get(String(request.headers.authorization).replace(/^Bearer /, ''));
    if (caller === undefined) {
      return googleError(401, 'UNAUTHENTICATED', 'Request had invalid authentication credentials.');
    }
    if (!caller.scopes.some((scope) => scopes.includes(scope))) {
      return googleError(403, 'PERMISSION_DENIED', 'Request had insufficient authentication scopes.');
    }
    if (caller.may === 'nothing') {
      return googleError(
        403,
        'PERMISSION_DENIED',
        'The account does not have permission, or it may not exist.',
      );
    }
    return respond(request);
  }
}
