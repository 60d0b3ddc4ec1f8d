import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MongoClient, MongoError, MongoServerError } from 'mongodb';
import type { Config } from '../../config/keys.ts';
import { ChainsError, reasonOf } from '../../errors.ts';
import { oneLine } from '../../text.ts';
import { tooLarge, unusable } from '../failures.ts';

/** The URL of a MongoDB server, which usually holds a password, and where it was set. */
export interface ServerUrl {
  readonly url: string;
  /** For messages: a key of the ConfigMap, a file or a variable. */
  readonly from: string;
}

const variable = 'MONGO_SERVER_URL';

/**
 * The URL as it is now: from the file of `storage.docdb.mongo-server-url-path`, else that of `…-url-dir`, else
 * `storage.docdb.mongo-server-url`, else the environment.
 * @throws ChainsError STORE_REFUSED when a file can't be read or holds none, CONFIG_INVALID when there is none at all
 */
export async function readServerUrl(config: Config): Promise<ServerUrl> {
  const path = config['storage.docdb.mongo-server-url-path'];
  const folder = config['storage.docdb.mongo-server-url-dir'];
  if (path !== undefined) return fromFile('storage.docdb.mongo-server-url-path', path);
  if (folder !== undefined) return fromFile('storage.docdb.mongo-server-url-dir', join(folder, variable));
  const value = config['storage.docdb.mongo-server-url'];
  if (value !== undefined) return { url: value, from: 'storage.docdb.mongo-server-url' };
  const url = process.env[variable];
  if (url !== undefined && url !== '') return { url, from: variable };
  throw new ChainsError(
    'CONFIG_INVALID',
    `storage.docdb.url: \`mongo://\` needs a server: set storage.docdb.mongo-server-url-path, …-url-dir or …-url, or the variable ${variable}`,
  );
}

async function fromFile(key: string, path: string): Promise<ServerUrl> {
  const from = `${key}: ${path}`;
  const url = await readFile(path, 'utf8').catch((error: unknown) => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw unusable(`${from} can't be read (${code}); put a file with the MongoDB server's URL there`);
  });
  return { url: url.trim(), from };
}

/** Opens a client, which connects at its first call. @throws ChainsError STORE_REFUSED for what is not a URL of a server */
export function openClient({ url, from }: ServerUrl, timeout: number): MongoClient {
  try {
    return new MongoClient(url, {
      appName: 'tekton-chains',
      maxPoolSize: 16,
      socketTimeoutMS: timeout,
      waitQueueTimeoutMS: timeout,
      serverSelectionTimeoutMS: Math.min(timeout, 10_000),
      connectTimeoutMS: Math.min(timeout, 10_000),
    });
  } catch (error) {
    throw unusable(`${from} is not a URL of a MongoDB server: ${reasonWithout(url, error)}`);
  }
}

/** MongoDB's error codes after which trying again doesn't help: of the credential, the permission, the document. */
const refused: ReadonlySet<number | string | undefined> = new Set([
  2, // BadValue
  8, // UnknownError: Atlas's code for "bad auth"
  9, // FailedToParse
  13, // Unauthorized
  18, // AuthenticationFailed
  26, // NamespaceNotFound
  52, // DollarPrefixedFieldName
  57, // DottedFieldName
  59, // CommandNotFound
  73, // InvalidNamespace
  121, // DocumentValidationFailure
  8000, // AtlasError
]);

const names: ReadonlySet<number | string | undefined> = new Set([
  2, // BadValue: FerretDB
  52, // DollarPrefixedFieldName
  57, // DottedFieldName
]);

/** Whether a server may have refused a document for the names of its fields: MongoDB allows dots since 3.6, others never did. */
export function mayRefuseNames(error: unknown): boolean {
  return error instanceof MongoServerError && (names.has(error.code) || /field name/i.test(error.message));
}

const tooLargeCodes: ReadonlySet<number | string | undefined> = new Set([10334, 17280, 17419, 17420]);

/**
 * The error for a call that failed: PAYLOAD_TOO_LARGE, STORE_REFUSED where trying again doesn't help, otherwise
 * STORE_UNAVAILABLE. The driver's error is not kept as its cause, since it may hold a password.
 * @param url the server's, so that none of its secrets is shown
 * @param limit of a document, in bytes
 */
export function failure(what: string, error: unknown, url: string, limit: number): ChainsError {
  const message = oneLine(`${what}: ${reasonWithout(url, error)}`);
  const code = error instanceof MongoError ? error.code : undefined;
  if (tooLargeCodes.has(code)) return tooLarge(what, undefined, limit);
  const isRefused = error instanceof MongoServerError && refused.has(code);
  return new ChainsError(isRefused ? 'STORE_REFUSED' : 'STORE_UNAVAILABLE', message);
}

/** What went wrong, without this URL and its password. */
function reasonWithout(url: string, error: unknown): string {
  const [, credentials = ''] = /^[^/]*:\/\/(.*)@/.exec(url) ?? [];
  const [, password = ''] = credentials.split(/:(.*)/s);
  const secrets = [url, credentials, password, decoded(password)].filter((secret) => secret !== '');
  return secrets.reduce((text, secret) => text.replaceAll(secret, '…'), reasonOf(error));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
