import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text as readAll } from 'node:stream/consumers';
import { parseAllDocuments } from 'yaml';
import { ChainsError, reasonOf } from '../../errors.ts';
import { isJsonList, isJsonObject, type Json, type JsonBounds, member, parseBounded } from '../../json.ts';
import { usageError } from '../usage-error.ts';

/** One document of an input, and where it is, for messages. */
export interface Document {
  /** `run.yaml`, or `run.yaml, document 2` where there are several. */
  readonly where: string;
  readonly value: Json;
}

/** A file may be of any size; no run is nested deeper than this. */
const bounds: JsonBounds = { deepest: 500, mostValues: Number.POSITIVE_INFINITY };

const endings = /\.(ya?ml|json|jsonl|ndjson)$/;

/**
 * Reads files, `-` (standard input) and the YAML and JSON files of folders, in order: YAML or JSON, several documents, JSON
 * lines; the items of a `List` count as documents.
 * @throws ChainsError USAGE that names the file and what is wrong with it
 */
export async function readDocuments(
  paths: readonly string[],
  stdin: Readable = process.stdin,
): Promise<readonly Document[]> {
  const documents: Document[] = [];
  for (const path of paths) {
    for (const { name, text } of await textsAt(path, stdin)) documents.push(...documentsIn(name, text));
  }
  return documents;
}

/** The bytes of a file. @param title of the file, for the message @throws ChainsError USAGE */
export async function readBytes(path: string, title: string): Promise<Buffer> {
  return readFile(path).catch((cause: unknown) => {
    throw usageError(`${title} can't be read: ${reasonOf(cause)}`, { cause });
  });
}

/** The texts of a file, of the YAML and JSON files of a folder, or of `-`, standard input. @throws ChainsError USAGE */
export async function textsAt(
  path: string,
  stdin: Readable = process.stdin,
): Promise<readonly { readonly name: string; readonly text: string }[]> {
  if (path === '-') {
    if (stdin.readableEnded) throw usageError('standard input can be read only once: give - only once');
    return [{ name: 'standard input', text: await readAll(stdin) }];
  }
  try {
    if (!(await stat(path)).isDirectory()) return [{ name: path, text: await readFile(path, 'utf8') }];
    const names = (await readdir(path)).filter((name) => endings.test(name)).toSorted();
    if (names.length === 0) throw usageError(`the folder ${path} has no YAML or JSON file`);
    return await Promise.all(
      names.map(async (name) => ({ name: join(path, name), text: await readFile(join(path, name), 'utf8') })),
    );
  } catch (cause) {
    if (cause instanceof ChainsError) throw cause;
    throw usageError(`${path} can't be read: ${reasonOf(cause)}`, { cause });
  }
}

/** The documents of a text. @throws ChainsError USAGE */
export function documentsIn(name: string, text: string): readonly Document[] {
  const isJson = /^\s*[[{]/.test(text);
  const parts = isJson ? jsonParts(text) : yamlParts(text);
  const documents = parts.map((parse, index) => {
    const where = parts.length === 1 ? name : `${name}, document ${index + 1}`;
    try {
      return { where, value: parse() };
    } catch (cause) {
      const reason = reasonOf(cause);
      // The message of a parser that ran out of stack.
      const why = reason.startsWith('Maximum call stack') ? 'it is nested too deep' : reason.slice(0, 300);
      throw usageError(`${where} is not ${isJson ? 'JSON' : 'YAML'}: ${why}`, { cause });
    }
  });
  return documents.flatMap(itemsOf).filter(({ value }) => value !== null);
}

/** JSON documents one after the other, each on a line of its own or printed over several, as jq and kubectl do. */
function jsonParts(text: string): readonly (() => Json)[] {
  return text
    .trim()
    .split(/\n(?=\{)/)
    .map((part) => () => parseBounded(part, bounds));
}

function yamlParts(text: string): readonly (() => Json)[] {
  return parseAllDocuments(text).map((document) => () => {
    const [problem] = document.errors;
    if (problem !== undefined) throw problem;
    // Converted through JSON text, since YAML has more than JSON, such as keys that are not strings.
    return parseBounded(JSON.stringify(document.toJS() ?? null), bounds);
  });
}

function itemsOf({ where, value }: Document): readonly Document[] {
  const items = isJsonObject(value) ? member(value, 'items') : value;
  const isList = isJsonList(value) || String(member(value, 'kind')).endsWith('List');
  return isList && isJsonList(items)
    ? items.flatMap((item, index) => itemsOf({ where: `${where}, item ${index + 1}`, value: item }))
    : [{ where, value }];
}
