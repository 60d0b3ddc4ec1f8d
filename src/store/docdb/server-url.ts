import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../../config/keys.ts';
import { ChainsError } from '../../errors.ts';
import { unusable } from '../failures.ts';

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
