import { at, type JsonObject } from '../src/json.ts';
import { Failure } from './failure.ts';
import { apiVersionOf, type Kind } from './kinds.ts';
import { contentOf, type Stored } from './storage.ts';
import { metadataOf } from './values.ts';

/** How an object is to be shown: whole, as its metadata, or as a row of a table. */
export interface Representation {
  readonly as: 'whole' | 'metadata' | 'table';
  /** What a table's rows carry. */
  readonly include: string;
}

const shapes: ReadonlyMap<string, Representation['as']> = new Map([
  ['Table', 'table'],
  ['PartialObjectMetadata', 'metadata'],
  ['PartialObjectMetadataList', 'metadata'],
]);
const meta = { apiVersion: 'meta.k8s.io/v1' };

/** Chooses the first media type of an Accept header that can be served. @throws Failure 406 */
export function representation(accept: string, query: URLSearchParams, list: boolean): Representation {
  const include = query.get('includeObject') ?? 'Metadata';
  for (const entry of (accept === '' ? '*/*' : accept).split(',')) {
    const [type = '', ...parameters] = entry.split(';').map((part) => part.trim());
    if (!['application/json', 'application/*', '*/*'].includes(type)) continue;
    const shape = parameters.find((parameter) => parameter.startsWith('as='))?.slice(3);
    if (shape === undefined) return { as: 'whole', include };
    const as = parameters.includes('v=v1') ? shapes.get(shape) : undefined;
    if (as === 'metadata' && list !== shape.endsWith('List')) {
      const what = list ? 'a list' : 'no list';
      throw new Failure(406, 'NotAcceptable', `you requested ${shape}, but the requested object is ${what}`);
    }
    if (as !== undefined) return { as, include };
  }
  throw new Failure(406, 'NotAcceptable', 'only the following media types are accepted: application/json');
}

/** An object as JSON text in the representation asked for. */
export function show(kind: Kind, version: string, stored: Stored, how: Representation): string {
  if (how.as === 'table') return table(kind, version, [stored], how, {}, true);
  if (how.as === 'metadata') return JSON.stringify(metadataOnly(contentOf(stored)));
  return `{"apiVersion":"${apiVersionOf(kind, version)}","kind":"${kind.kind}",${stored.text.slice(1)}`;
}

/** The same for an object that isn't stored (any more). */
export function showContent(kind: Kind, version: string, content: JsonObject, how: Representation): string {
  const [namespace, name] = [at(content, 'metadata', 'namespace'), at(content, 'metadata', 'name')].map(
    String,
  );
  const text = JSON.stringify(content);
  const stored = {
    key: '',
    namespace: namespace ?? '',
    name: name ?? '',
    uid: '',
    version: 0,
    labels: {},
    text,
  };
  return show(kind, version, stored, how);
}

/** A list as JSON text; `metadata` is the list's. */
export function showList(
  kind: Kind,
  version: string,
  items: readonly Stored[],
  how: Representation,
  metadata: JsonObject,
): string {
  if (how.as === 'table') return table(kind, version, items, how, metadata, true);
  const [apiVersion, name] =
    how.as === 'metadata'
      ? [meta.apiVersion, 'PartialObjectMetadataList']
      : [apiVersionOf(kind, version), `${kind.kind}List`];
  // The real server names kind and version on the items of custom kinds only.
  const text = (item: Stored) =>
    how.as === 'whole' && !kind.custom ? item.text : show(kind, version, item, how);
  const head = JSON.stringify({ kind: name, apiVersion, metadata }).slice(0, -1);
  return `${head},"items":[${items.map(text).join(',')}]}`;
}

/** A table with a row an object; the columns are described in the first event of a watch only. */
export function table(
  kind: Kind,
  version: string,
  items: readonly Stored[],
  how: Representation,
  metadata: JsonObject,
  described: boolean,
): string {
  const now = new Date();
  const rows = items.map((item) => {
    const content = contentOf(item);
    const whole = { apiVersion: apiVersionOf(kind, version), kind: kind.kind, ...content };
    const object = how.include === 'None' ? null : how.include === 'Object' ? whole : metadataOnly(content);
    return { cells: kind.columns.map((column) => column.cell(content, now)), object };
  });
  const columns = kind.columns.map(({ name, type = 'string', format = '' }) => {
    return { name, type, format, description: '', priority: 0 };
  });
  const [only] = items;
  const own = { resourceVersion: only === undefined ? '' : String(only.version) };
  const head = { kind: 'Table', ...meta, metadata: Object.keys(metadata).length === 0 ? own : metadata };
  return JSON.stringify({ ...head, columnDefinitions: described ? columns : null, rows });
}

function metadataOnly(content: JsonObject): JsonObject {
  return { kind: 'PartialObjectMetadata', ...meta, metadata: metadataOf(content) };
}
