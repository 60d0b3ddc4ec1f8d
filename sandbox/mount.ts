import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { reflect } from '../src/kubernetes/reflector.ts';
import type { ObjectName } from '../src/kubernetes/call.ts';
import type { Rest } from '../src/kubernetes/rest.ts';
import { isJsonObject, type JsonObject, member } from '../src/json.ts';

const secrets = { group: '', version: 'v1', plural: 'secrets' };

/**
 * Plays the kubelet for one Secret: keeps a folder equal to its data until `signal` aborts. The folder is made at once
 * and empty where there is no Secret; each file is replaced as a whole, readable by its owner only. Rejects with the
 * file system's error when the folder can't be written.
 */
export async function mountSecret(
  rest: Rest,
  secret: ObjectName,
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const failed = new AbortController();
  let work = Promise.resolve();
  const project = (data: JsonObject) => {
    work = work.then(() => writeFolder(folder, data));
    work.catch(() => failed.abort());
  };
  const what = {
    resource: secrets,
    namespace: secret.namespace,
    fieldSelector: `metadata.name=${secret.name}`,
  };
  const observer = {
    seen: (object: JsonObject) => project(dataOf(object)),
    gone: () => project({}),
    synced: () => undefined,
  };
  await reflect(rest, what, observer, AbortSignal.any([signal, failed.signal]));
  await work;
}

function dataOf(secret: JsonObject): JsonObject {
  const data = member(secret, 'data');
  return isJsonObject(data) ? data : {};
}

async function writeFolder(folder: string, data: JsonObject): Promise<void> {
  // Kubernetes allows only letters, digits, `-`, `_` and `.` in a key, and no `..`, so that each is a file name; one
  // that starts with two dots is what the kubelet keeps for itself.
  const files = new Map(
    Object.entries(data).map(([name, text]) => [name, Buffer.from(String(text), 'base64')] as const),
  );
  for (const [name, content] of files) {
    const path = join(folder, name);
    if (content.equals(await readFile(path).catch(() => Buffer.alloc(0))) && content.length > 0) continue;
    const fresh = join(folder, `..${name}`);
    await writeFile(fresh, content, { mode: 0o600 });
    await rename(fresh, path);
  }
  for (const name of await readdir(folder)) if (!files.has(name)) await rm(join(folder, name));
}
