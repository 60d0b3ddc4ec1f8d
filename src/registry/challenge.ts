/** What a registry wants to see (RFC 9110, 11.6.1; distribution's "Token authentication"). */
export type Challenge =
  | { readonly scheme: 'basic' }
  | {
      readonly scheme: 'bearer';
      /** The URL that gives tokens. */
      readonly realm: string;
      readonly service: string | undefined;
      /** Scopes separated by spaces: `repository:acme/app:pull,push`. */
      readonly scope: string | undefined;
    };

const piece = /([A-Za-z][\w-]*)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+)))?/g;

/** The first challenge of `WWW-Authenticate` headers that we can meet, bearer before basic; undefined when there is none. */
export function parseChallenge(headers: readonly string[]): Challenge | undefined {
  const challenges = headers.flatMap(challengesIn);
  const bearer = challenges.find(({ scheme, params }) => scheme === 'bearer' && params.has('realm'));
  if (bearer !== undefined) {
    const { params } = bearer;
    return {
      scheme: 'bearer',
      realm: params.get('realm') ?? '',
      service: params.get('service'),
      scope: params.get('scope'),
    };
  }
  return challenges.some(({ scheme }) => scheme === 'basic') ? { scheme: 'basic' } : undefined;
}

function challengesIn(header: string): readonly { scheme: string; params: Map<string, string> }[] {
  const challenges: { scheme: string; params: Map<string, string> }[] = [];
  for (const [, name = '', quoted, token] of header.matchAll(piece)) {
    const value = quoted?.replace(/\\(.)/g, '$1') ?? token;
    if (value === undefined) challenges.push({ scheme: name.toLowerCase(), params: new Map() });
    else challenges.at(-1)?.params.set(name.toLowerCase(), value);
  }
  return challenges;
}
