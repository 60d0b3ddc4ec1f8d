import { createPublicKey, randomBytes, verify } from 'node:crypto';
import { type JsonObject, member } from '../../src/json.ts';
import { pkcs8, spki } from '../sign/keys.ts';
import { jsonOf } from './web.ts';
import { rsaKeyPair } from '../sign/rsa-keys.ts';

/** Where the key files say that tokens are given. */
export const tokenServer = 'oauth2.googleapis.com';

/** Who a token is for, and what for. */
export interface Holder<Role> {
  readonly role: Role;
  readonly scopes: readonly string[];
}

/** What the token server answers. */
export interface TokenAnswer {
  readonly status: number;
  readonly json: JsonObject;
}

/** Google's service accounts, and the token server that knows their keys. */
export class GoogleAccounts<Role extends string> {
  readonly #accounts = new Map<string, { readonly publicKey: string; readonly role: Role }>();
  readonly #tokens = new Map<string, Holder<Role>>();

  /**
   * The text of a new key file of an account, whose earlier keys are deleted.
   * @param role undefined: nobody knows the key
   */
  keyFile(email: string, role: Role | undefined, project = 'p'): string {
    const { publicKey, privateKey } = rsaKeyPair(2048);
    if (role !== undefined) this.#accounts.set(email, { publicKey: spki(publicKey), role });
    return JSON.stringify({
      type: 'service_account',
      project_id: project,
      private_key_id: '1',
      private_key: pkcs8(privateKey),
      client_email: email,
      token_uri: `https://${tokenServer}/token`,
    });
  }

  /** A token for the body of a request to `/token` (RFC 7523): a JWT that the account's key signed. */
  exchange(body: string): TokenAnswer {
    const form = new URLSearchParams(body);
    const [header = '', payload = '', signature = ''] = (form.get('assertion') ?? '').split('.');
    const claims = jsonOf(Buffer.from(payload, 'base64url'));
    const account = this.#accounts.get(String(member(claims, 'iss')));
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
    if (valid) return this.issue(account.role, String(member(claims, 'scope')).split(' '));
    return { status: 400, json: { error: 'invalid_grant', error_description: 'Invalid JWT Signature.' } };
  }

  issue(role: Role, scopes: readonly string[]): TokenAnswer {
    const token = `ya29.${randomBytes(12).toString('hex')}`;
    this.#tokens.set(token, { role, scopes });
    return { status: 200, json: { access_token: token, expires_in: 3_599, token_type: 'Bearer' } };
  }

  /** Who the bearer of a token is, by the header `Authorization`. */
  holderOf(authorization: string | undefined): Holder<Role> | undefined {
    return this.#tokens.get(String(authorization).replace(/^Bearer /, ''));
  }

  /** Lets every token end at once. */
  revokeTokens(): void {
    this.#tokens.clear();
  }
}
