import { type JsonObject, member } from '../src/json.ts';
import { badRequest, expired, Failure } from './failure.ts';
import type { Address } from './address.ts';
import { fieldSelector, labelSelector, type Selector } from './selectors.ts';
import type { Storage, Stored } from './storage.ts';
import { parseJson, present } from './values.ts';

/** One page of a list. */
export interface Page {
  readonly items: readonly Stored[];
  /** The list's own metadata: `resourceVersion`, and `continue` where there is more. */
  readonly metadata: JsonObject;
}

/** Which objects of a collection a request is about: those of its namespace that its selectors pick. @throws Failure 400 */
export function selection(address: Address, query: URLSearchParams): Selector {
  const { kind, namespace, name } = address;
  const label = labelSelector(query.get('labelSelector') ?? '');
  const field = fieldSelector(query.get('fieldSelector') ?? '', kind);
  return (stored) =>
    (namespace === '' || stored.namespace === namespace) &&
    (name === '' || stored.name === name) &&
    label(stored) &&
    field(stored);
}

/** Reads a resource version from a query; undefined where there is none. @throws Failure 400 */
export function versionIn(query: URLSearchParams): number | undefined {
  const text = query.get('resourceVersion') ?? '';
  if (!/^\d*$/.test(text)) {
    throw badRequest(`invalid resource version: resourceVersion: Invalid value: "${text}": invalid syntax`);
  }
  return text === '' || text === '0' ? undefined : Number(text);
}

/** Lists a collection: all pages of a list show it as it was when the first one was asked for. @throws Failure 400, 410, 504 */
export function listPage(storage: Storage, address: Address, query: URLSearchParams): Page {
  const selected = selection(address, query);
  const token = readToken(query.get('continue') ?? '');
  const wanted = versionIn(query);
  if (wanted !== undefined && wanted > storage.version) throw tooLarge(wanted, storage.version);
  // A token for version -1 was handed out with a 410: it goes on with what there is now.
  const version = token === undefined || token.version < 0 ? storage.version : token.version;
  const all = storage.list(address.kind, version);
  if (all === undefined) throw gone(token?.after);
  const found = all.filter((stored) => (token === undefined || stored.key > token.after) && selected(stored));
  const limit = Number(query.get('limit')) || found.length;
  const items = found.slice(0, limit);
  const last = items.at(-1);
  const metadata = { resourceVersion: String(version) };
  if (found.length <= limit || last === undefined) return { items, metadata };
  // The real server does not count what a selector leaves.
  const counted = !query.get('labelSelector') && !query.get('fieldSelector');
  const remainingItemCount = counted ? found.length - limit : undefined;
  return {
    items,
    metadata: present({ ...metadata, continue: writeToken(version, last.key), remainingItemCount }),
  };
}

interface Token {
  readonly version: number;
  readonly after: string;
}

function writeToken(version: number, after: string): string {
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: version, start: `${after}\u0000` })).toString(
    'base64url',
  );
}

function readToken(text: string): Token | undefined {
  if (text === '') return undefined;
  try {
    const value = parseJson(Buffer.from(text, 'base64url').toString());
    const version = member(value, 'rv');
    const start = member(value, 'start');
    if (typeof version === 'number' && typeof start === 'string') {
      return { version, after: start.replace(/\u0000$/, '') };
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw badRequest('invalid continue token: continue key is not valid');
}

function gone(after: string | undefined): Failure {
  if (after === undefined) return expired('The resourceVersion for the provided list is too old.');
  const message =
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without ' +
    'the continue parameter, or use the continue token in this response to retrieve the remainder of the results.';
  return expired(message, { continue: writeToken(-1, after) });
}

function tooLarge(wanted: number, current: number): Failure {
  const causes = [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }];
  const message = `Timeout: Too large resource version: ${wanted}, current: ${current}`;
  return new Failure(504, 'Timeout', message, { causes, retryAfterSeconds: 1 });
}
