import {
  Document,
  isMap,
  isScalar,
  isSeq,
  type Pair,
  parseAllDocuments,
  parseDocument,
  stringify,
  type YAMLMap,
} from 'yaml';
import type { KeyChange, Lines } from '../../config/migrate.ts';
import { configMapName, defaultSystemNamespace } from '../../config/parse.ts';
import { usageError } from '../usage-error.ts';

/** A ConfigMap `chains-config` as it was given, with its comments. */
export interface ConfigDocument {
  readonly namespace: string;
  /** Its `data`. */
  readonly lines: Lines;
  /**
   * The ConfigMap with these changes, as `kubectl apply` takes it; a comment says why each was made.
   * @param heading comments on top
   */
  textWith(changes: readonly KeyChange[], heading: readonly string[]): string;
}

/** The fields of the metadata that users write; the API server writes the others. */
const ownMetadata = ['name', 'namespace', 'labels', 'annotations'];

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/** kubectl reads YAML 1.1, where a bare `yes` is not text. */
const asKubectl = { version: '1.1' } as const;

/**
 * Reads the ConfigMap in a text of YAML or JSON: itself, its bare data, or the one of this name in a list.
 * @param name of the text, for messages
 * @throws ChainsError USAGE where there is none, or more than one
 */
export function readConfigDocument(name: string, text: string): ConfigDocument {
  const document = onlyConfigMap(name, text);
  const metadata = mapAt(document, 'metadata');
  const data = mapAt(document, 'data');
  metadata.items = metadata.items.filter(({ key }) => ownMetadata.includes(textOf(key)));
  const annotations = metadata.get('annotations');
  if (isMap(annotations) && annotations.delete(lastApplied) && annotations.items.length === 0)
    metadata.delete('annotations');
  if (!metadata.has('name')) metadata.set('name', configMapName);
  if (!metadata.has('namespace')) metadata.set('namespace', defaultSystemNamespace);
  data.flow = false;
  for (const pair of data.items) makeText(document, pair);
  return {
    namespace: textOf(metadata.get('namespace', true)),
    lines: Object.fromEntries(data.items.map(({ key, value }) => [textOf(key), textOf(value)])),
    textWith(changes, heading) {
      for (const change of changes) write(document, data, change);
      document.commentBefore = joined([...heading, document.commentBefore]);
      return document.toString({ lineWidth: 0 });
    },
  };
}

/** The ConfigMap of this name, or a single one without a name. @throws ChainsError USAGE */
function onlyConfigMap(name: string, text: string): Document {
  const found = documentsIn(name, text).flatMap(objectsIn);
  const named = found.filter((one) => nameOf(one) === configMapName);
  const [only, ...more] = found.length === 1 && nameOf(found[0]) === undefined ? found : named;
  if (only?.get('kind') === 'ConfigMap' && more.length === 0) return only;
  const held = found
    .slice(0, 5)
    .map((one) => [one.get('kind') ?? 'something without kind', nameOf(one) ?? ''].join(' ').trim())
    .join(', ');
  throw usageError(
    more.length > 0
      ? `${name} holds ${named.length} ConfigMaps ${configMapName}: give the one that the controller reads`
      : `${name} holds ${held || 'nothing'}, not the ConfigMap ${configMapName}, which kubectl get configmap ${configMapName} -n tekton-chains -o yaml prints`,
  );
}

/** @throws ChainsError USAGE */
function documentsIn(name: string, text: string): readonly Document[] {
  const documents = parseAllDocuments(text, asKubectl);
  const [problem] = documents.flatMap(({ errors }) => errors);
  if (problem !== undefined)
    throw usageError(`${name} is not YAML: ${problem.message.split(':\n')[0] ?? ''}`);
  // JSON has no comments to keep, and is printed as YAML.
  return documents.map((one) =>
    isMap(one.contents) && one.contents.flow === true
      ? parseDocument(stringify(one.toJS(), asKubectl), asKubectl)
      : one,
  );
}

/** The objects in a document: each one of a list, and bare data wrapped in a ConfigMap. */
function objectsIn(document: Document): readonly Document[] {
  const { contents } = document;
  if (!isMap(contents)) return [];
  const items = contents.get('items');
  if (String(contents.get('kind')).endsWith('List') && isSeq(items)) {
    return items.items.map((item) => {
      const one = new Document({}, asKubectl);
      if (isMap(item)) one.contents = item;
      return one;
    });
  }
  if (contents.has('kind')) return [document];
  const bare = new Document({ apiVersion: 'v1', kind: 'ConfigMap', metadata: {} }, asKubectl);
  bare.set('data', contents);
  return [bare];
}

function nameOf(document: Document | undefined): unknown {
  return document?.getIn(['metadata', 'name']);
}

/** The map under a key of the document, made where there is none. @throws ChainsError USAGE */
function mapAt(document: Document, key: string): YAMLMap {
  if (document.get(key) == null) document.set(key, document.createNode({}));
  const map = document.get(key);
  if (isMap(map)) return map;
  throw usageError(`${key} of the ConfigMap is not a map of keys and values`);
}

/** Numbers and booleans become quoted text as they were written: a ConfigMap holds nothing but text. */
function makeText(document: Document, pair: Pair): void {
  const { value } = pair;
  if (isScalar(value) && typeof value.value === 'string') return;
  const text = document.createNode(textOf(value));
  if (isScalar(value)) text.comment = value.comment ?? null;
  pair.value = text;
}

function textOf(node: unknown): string {
  if (!isScalar(node)) return node == null ? '' : String(node);
  const { value, source } = node;
  if (typeof value === 'string') return value;
  return value === null ? '' : (source ?? String(value));
}

/** Makes one change, with a comment that has the old line and the reason. */
function write(document: Document, data: YAMLMap, { key, value, why }: KeyChange): void {
  const before = data.items.find((pair) => textOf(pair.key) === key);
  const line = `${key}: ${JSON.stringify(textOf(before?.value))}`;
  const comments = before !== undefined && isScalar(before.key) ? before.key.commentBefore : undefined;
  if (value === undefined) {
    data.delete(key);
    data.comment = joined([data.comment, comments, ` left out: ${line}`, `   ${why}`]);
    return;
  }
  const name = document.createNode(key);
  name.commentBefore = joined([comments, ...(before === undefined ? [] : [` was: ${line}`]), ` ${why}`]);
  const text = document.createNode(value);
  if (isScalar(before?.value)) text.comment = before.value.comment ?? null;
  if (before === undefined) data.add(document.createPair(name, text));
  else Object.assign(before, { key: name, value: text });
}

function joined(comments: readonly (string | null | undefined)[]): string {
  return comments.filter((comment) => comment != null && comment !== '').join('\n');
}
