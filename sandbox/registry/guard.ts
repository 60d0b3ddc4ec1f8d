import { randomBytes } from 'node:crypto';
import { Refusal } from './refusal.ts';

/** Somebody who may log in. */
export interface RegistryUser {
  readonly name: string;
  readonly password: string;
  /** What can be exchanged for access tokens instead of the password. */
  readonly identityToken?: string;
  /** Repositories whose names begin with it; all by default. */
  readonly repositories?: string;
  /** False: 403 for pushes. */
  readonly mayPush?: boolean;
}

/** How a registry protects itself; without one it is open to everybody. */
export interface GuardOptions {
  /** `token`: distribution's token authentication, `basic`: a password with every request. */
  readonly scheme: 'token' | 'basic';
  readonly users: readonly RegistryUser[];
  /** The URL that gives tokens; the registry itself by default. */
  readonly realm?: string;
  /** Seconds that a token lives. Default 60. */
  readonly tokenLife?: number;
}

type Action = 'pull' | 'push';

/** What a request wants. */
export interface Admission {
  readonly repository: string;
  /** The repository that a blob is to be mounted from. */
  readonly from: string | undefined;
  readonly method: string;
  /** The URL that gives tokens. */
  readonly realm: string;
}

interface Grant {
  readonly user: RegistryUser | undefined;
  /** `pull acme/app` */
  readonly rights: ReadonlySet<string>;
  readonly until: number;
}

/** Lets requests in, and gives tokens. */
export class Guard {
  readonly #options: GuardOptions;
  readonly #grants = new Map<string, Grant>();
  /** How many tokens were given. */
  given = 0;

  constructor(options: GuardOptions) {
    this.#options = options;
  }

  /** @throws Refusal 401 with a challenge, or 403 */
  admit(authorization: string | undefined, { repository, from, method, realm }: Admission): void {
    const actions: readonly Action[] = method === 'GET' || method === 'HEAD' ? ['pull'] : ['pull', 'push'];
    const user = this.#options.scheme === 'basic' ? this.#byPassword(authorization) : undefined;
    const grant = this.#grants.get(authorization?.replace(/^Bearer /, '') ?? '');
    const granted =
      this.#options.scheme === 'basic'
        ? user !== undefined
        : grant !== undefined &&
          grant.until > Date.now() &&
          [
            ...actions.map((action) => `${action} ${repository}`),
            ...(from === undefined ? [] : [`pull ${from}`]),
          ].every((right) => grant.rights.has(right));
    if (!granted) throw this.#challenge({ repository, from, method, realm }, actions);
    const who = user ?? grant?.user;
    if (actions.includes('push') && who?.mayPush === false)
      throw new Refusal(403, 'DENIED', 'requested access to the resource is denied');
  }

  /** Revokes all tokens. */
  revoke(): void {
    this.#grants.clear();
  }

  /** A token for those of the scopes that the user may have (distribution's "Token authentication"). */
  token(
    authorization: string | undefined,
    parameters: URLSearchParams,
  ): { token: string; expires_in: number } {
    const refresh = parameters.get('refresh_token');
    const user =
      refresh === null
        ? this.#byPassword(authorization)
        : this.#options.users.find(({ identityToken }) => identityToken === refresh);
    if (user === undefined) throw new Refusal(401, 'UNAUTHORIZED', 'authentication required');
    const scopes = parameters.getAll('scope').flatMap((scope) => scope.split(' '));
    const rights = scopes.flatMap((scope) => {
      const [, name = '', actions = ''] = /^repository:(.+):([a-z,]+)$/.exec(scope) ?? [];
      return name.startsWith(user.repositories ?? '')
        ? actions.split(',').map((one) => `${one} ${name}`)
        : [];
    });
    const token = randomBytes(24).toString('base64url');
    const life = this.#options.tokenLife ?? 60;
    this.#grants.set(token, { user, rights: new Set(rights), until: Date.now() + life * 1000 });
    this.given += 1;
    return { token, expires_in: life };
  }

  #byPassword(authorization: string | undefined): RegistryUser | undefined {
    const text = Buffer.from(authorization?.replace(/^Basic /, '') ?? '', 'base64').toString('utf8');
    return this.#options.users.find(({ name, password }) => text === `${name}:${password}`);
  }

  #challenge({ repository, from, realm }: Admission, actions: readonly Action[]): Refusal {
    const reading = from === undefined ? '' : `repository:${from}:pull `;
    const scope = `${reading}repository:${repository}:${actions.join(',')}`;
    const challenge =
      this.#options.scheme === 'basic'
        ? 'Basic realm="sandbox"'
        : `Bearer realm="${this.#options.realm ?? realm}",service="sandbox"${repository === '' ? '' : `,scope="${scope}"`}`;
    return new Refusal(401, 'UNAUTHORIZED', 'authentication required', { 'www-authenticate': challenge });
  }
}
