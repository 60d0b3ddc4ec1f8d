import { ChainsError } from '../../model/errors.ts';
import { isJsonList, member } from '../../model/json.ts';
import { type GoogleOptions, jsonOf, openGoogle } from '../google.ts';
import { upload } from './upload.ts';

/** Which bucket, and how to reach it. */
export interface BucketOptions {
  readonly name: string;
  /** How long to wait for an answer, in milliseconds. */
  readonly timeout?: number;
}

/** An object to be written. */
export interface Item {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** An object as it was at one moment. */
export interface Seen {
  readonly bytes: Uint8Array;
  readonly generation: string;
}

/** A bucket of Google Cloud Storage. All of it throws ChainsError STORE_REFUSED or STORE_UNAVAILABLE. */
export interface Bucket {
  look(name: string, signal?: AbortSignal): Promise<Seen | undefined>;
  /**
   * Writes an object unless it was seen with the same bytes. The write takes effect only on what was seen: one that comes
   * late, or twice, changes nothing that somebody else has written meanwhile.
   */
  put(item: Item, seen: Seen | undefined, signal?: AbortSignal): Promise<void>;
  /** Removes an object that may be there. */
  remove(name: string, signal?: AbortSignal): Promise<void>;
  /** The names of all objects that begin so. */
  list(prefix: string, signal?: AbortSignal): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** The generation of what isn’t there (`ifGenerationMatch`). */
const none = '0';

const hint =
  'Give the account the role Storage Object User (roles/storage.objectUser) on the bucket: it looks at an object before it writes it.';

/** Opens a bucket over the JSON API; `STORAGE_EMULATOR_HOST` puts an emulator in the service’s place. */
export function openBucket({ name: bucket, timeout }: BucketOptions): Bucket {
  const google = openGoogle({ ...endpoint(), timeout });

  async function look(name: string, signal?: AbortSignal): Promise<Seen | undefined> {
    const what = `read gs://${bucket}/${name}`;
    const path = `${pathOf(bucket, name)}?alt=media`;
    const answer = await google.call({ what, method: 'GET', path, expected: [404], signal, hint });
    if (answer.status === 404) return undefined;
    const generation = answer.headers['x-goog-generation'];
    if (typeof generation === 'string') return { bytes: answer.body, generation };
    throw new ChainsError(
      'STORE_UNAVAILABLE',
      `${what}: the answer names no generation; is a proxy in between?`,
    );
  }

  return {
    look,
    async put({ name, bytes }, seen, signal) {
      if (same(seen, bytes)) return;
      const what = `write gs://${bucket}/${name}`;
      const ifGenerationMatch = seen?.generation ?? none;
      const written = await upload(google, { what, bucket, name, bytes, ifGenerationMatch, signal, hint });
      // Perhaps it was an attempt of ours whose answer got lost.
      if (written || same(await look(name, signal), bytes)) return;
      throw new ChainsError(
        'STORE_UNAVAILABLE',
        `${what}: somebody else wrote it at the same time; it is looked at again`,
      );
    },
    async remove(name, signal) {
      const what = `delete gs://${bucket}/${name}`;
      const path = pathOf(bucket, name);
      await google.call({ what, method: 'DELETE', path, expected: [404], signal, hint });
    },
    async list(prefix, signal) {
      const what = `list gs://${bucket}/${prefix}*`;
      const names: string[] = [];
      for (let pageToken = ''; ; ) {
        const query = new URLSearchParams({ prefix, ...(pageToken === '' ? {} : { pageToken }) }).toString();
        const path = `${pathOf(bucket)}?${query}`;
        const page = jsonOf(what, await google.call({ what, method: 'GET', path, signal, hint }));
        const items = member(page, 'items');
        names.push(...(isJsonList(items) ? items : []).map((item) => String(member(item, 'name'))));
        pageToken = String(member(page, 'nextPageToken') ?? '');
        if (pageToken === '') return names;
      }
    },
    close: () => google.close(),
  };
}

function endpoint(): GoogleOptions {
  const scope = 'https://www.googleapis.com/auth/devstorage.read_write';
  const emulator = process.env['STORAGE_EMULATOR_HOST'];
  if (emulator === undefined || emulator === '') {
    return { origin: 'https://storage.googleapis.com', scope, emulated: false };
  }
  return { origin: emulator.includes('://') ? emulator : `http://${emulator}`, scope, emulated: true };
}

function pathOf(bucket: string, name?: string): string {
  const objects = `/storage/v1/b/${encodeURIComponent(bucket)}/o`;
  return name === undefined ? objects : `${objects}/${encodeURIComponent(name)}`;
}

function same(seen: Seen | undefined, bytes: Uint8Array): boolean {
  return seen !== undefined && Buffer.compare(seen.bytes, bytes) === 0;
}
