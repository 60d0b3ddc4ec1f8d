import { type Json, member, objectIn, parseBounded, textIn } from '../json.ts';
import { withoutTrailing } from '../text.ts';
import { isDockerHub, type Repository } from './repository.ts';

/** What authenticates us to a registry. */
export type Credential =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  /** A refresh token, to be exchanged for access tokens. */
  | { readonly kind: 'identity'; readonly token: string }
  /** An access token as it is. */
  | { readonly kind: 'registry'; readonly token: string };

/** A Docker configuration, as far as it says how to authenticate. */
export interface DockerConfig {
  /** Where it was found, for messages. */
  readonly source: string;
  /** The longest key first. */
  readonly auths: readonly { readonly key: string; readonly credential: Credential }[];
  /** Names of credential helpers (programs `docker-credential-NAME`), by host. */
  readonly helpers: ReadonlyMap<string, string>;
  /** The helper for hosts that have none of their own. */
  readonly store: string | undefined;
  /** How many entries are ignored, because there are too many or their key is too long. */
  readonly leftOut: number;
}

/** Limits of a configuration, which a tenant writes: its characters, its entries, and the characters of a key. */
const [longestText, mostEntries, longestKey] = [1_048_576, 256, 1_024];

/**
 * Reads `config.json`, or a `.dockercfg`, which is only its `auths`. Entries without a credential are left out.
 * @throws SyntaxError when it is not JSON, or larger than a Secret can be
 */
export function parseDockerConfig(text: string, source: string, bare = false): DockerConfig {
  if (text.length > longestText) throw new SyntaxError('it is larger than a Secret can be');
  const json = parseBounded(text);
  const auths = entriesOf(bare ? json : member(json, 'auths'));
  const helpers = entriesOf(bare ? undefined : member(json, 'credHelpers'));
  const store = member(json, 'credsStore');
  return {
    source,
    auths: auths.taken
      .flatMap(([key, entry]) => {
        const credential = credentialOf(entry);
        return credential === undefined ? [] : [{ key: normalKey(key), credential }];
      })
      .toSorted((one, other) => other.key.length - one.key.length),
    helpers: new Map(
      helpers.taken.flatMap(([host, name]) => (isProgram(name) ? [[normalKey(host), name] as const] : [])),
    ),
    store: !bare && isProgram(store) ? store : undefined,
    leftOut: auths.leftOut + helpers.leftOut,
  };
}

function entriesOf(value: Json | undefined) {
  const all = Object.entries(objectIn(value));
  const taken = all.filter(([key]) => key.length <= longestKey).slice(0, mostEntries);
  return { taken, leftOut: all.length - taken.length };
}

/** Whether an entry's key covers the repository: its host, where `*` matches part of a label, and the first segments of its path. */
export function coversRepository(key: string, repository: Repository): boolean {
  const [host = '', ...path] = key.split('/');
  const prefix = path.join('/');
  const isSameHub = isDockerHub(host) && isDockerHub(repository.host);
  const inside = prefix === '' || `${repository.path}/`.startsWith(`${prefix}/`);
  return inside && (isSameHub || matchesHost(host, repository.host));
}

function credentialOf(entry: Json | undefined): Credential | undefined {
  const text = (key: string) => textIn(member(entry, key)) || undefined;
  const [identity, registry, auth] = [text('identitytoken'), text('registrytoken'), text('auth')];
  if (registry !== undefined) return { kind: 'registry', token: registry };
  if (identity !== undefined) return { kind: 'identity', token: identity };
  const pair = auth === undefined ? undefined : pairIn(auth);
  const [username, password] = [text('username') ?? pair?.[0], text('password') ?? pair?.[1]];
  return username === undefined || password === undefined
    ? undefined
    : { kind: 'password', username, password };
}

/** `base64(user:password)`; some programs end it with a NUL. */
function pairIn(auth: string): readonly [string, string] | undefined {
  const text = withoutTrailing(Buffer.from(auth, 'base64').toString('utf8'), '\0');
  const colon = text.indexOf(':');
  return colon === -1 ? undefined : [text.slice(0, colon), text.slice(colon + 1)];
}

/** Keys are written as hosts, with paths, or as the URLs of old APIs: `https://index.docker.io/v1/`. */
function normalKey(key: string): string {
  return withoutTrailing(key.replace(/^https?:\/\//, ''), '/').replace(/\/v[12]$/, '');
}

function matchesHost(pattern: string, host: string): boolean {
  const labels = labelsOf(host);
  const patterns = labelsOf(pattern);
  return (
    patterns.length === labels.length &&
    patterns.every((label, index) => matchesLabel(label, labels[index] ?? ''))
  );
}

/** The labels of a host, and the signs between them. */
function labelsOf(host: string): readonly string[] {
  return host.toLowerCase().split(/([.:])/);
}

/** The parts between `*` must come in their order, the first and the last one at the ends. */
function matchesLabel(pattern: string, label: string): boolean {
  const [first = '', ...parts] = pattern.split('*');
  const last = parts.pop();
  if (last === undefined) return first === label;
  if (label.length < first.length + last.length || !label.startsWith(first) || !label.endsWith(last))
    return false;
  let rest = label.slice(first.length, label.length - last.length);
  for (const part of parts) {
    const found = rest.indexOf(part);
    if (found === -1) return false;
    rest = rest.slice(found + part.length);
  }
  return true;
}

function isProgram(name: Json | undefined): name is string {
  return typeof name === 'string' && /^[\w.-]+$/.test(name);
}
