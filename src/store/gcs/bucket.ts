import { ChainsError } from '../../errors.ts';
import { listAt, member } from '../../json.ts';
import { openGoogle } from '../../http/google.ts';
import { failures, patience, unreadable } from '../failures.ts';
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
   * late, or twice, changes nothing that others have written meanwhile.
   */
  put(item: Item, seen: Seen | undefined, signal?: AbortSignal): Promise<void>;
  /** Removes an object that may be there. */
  remove(name: string, signal?: AbortSignal): Promise<void>;
  /** The names of all objects that begin so. */
  list(prefix: string, signal?: AbortSignal): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** The generation of what isn't there (`ifGenerationMatch`). */
const none = '0';

const scope = 'https://www.googleapis.com/auth/devstorage.read_write';

const hint =
  'Give the account the role Storage Object User (roles/storage.objectUser) on the bucket: it looks at an object before it writes it.';

/** Opens a bucket over the JSON API; `STORAGE_EMULATOR_HOST` puts an emulator in the service's place. */
export function openBucket({ name: bucket, timeout = patience }: BucketOptions): Bucket {
  const limits = { silence: timeout };
  const google = openGoogle({ ...endpoint(), scope, failures, project: 'none', patience: timeout, limits });

  async function look(name: string, signal?: AbortSignal): Promise<Seen | undefined> {
    const what = `read gs://${bucket}/${name}`;
    const url = `${pathOf(bucket, name)}?alt=media`;
    const headers = { accept: '*/*' };
    const answer = await google.call({ what, method: 'GET', url, headers, expects: [404], signal, hint });
    if (answer.status === 404) return undefined;
    const generation = answer.headers['x-goog-generation'];
    if (typeof generation === 'string') return { bytes: answer.bytes, generation };
    throw unreadable(what, 'no generation');
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
      const url = pathOf(bucket, name);
      await google.call({ what, method: 'DELETE', url, expects: [404], signal, hint });
    },
    async list(prefix, signal) {
      const what = `list gs://${bucket}/${prefix}*`;
      const names: string[] = [];
      for (let pageToken = ''; ; ) {
        const query = new URLSearchParams({ prefix, ...(pageToken === '' ? {} : { pageToken }) }).toString();
        const url = `${pathOf(bucket)}?${query}`;
        const { body } = await google.call({ what, method: 'GET', url, signal, hint });
        if (body === undefined) throw unreadable(what, 'no JSON');
        names.push(...listAt(body, 'items').map((item) => String(member(item, 'name'))));
        pageToken = String(member(body, 'nextPageToken') ?? '');
        if (pageToken === '') return names;
      }
    },
    close: () => google.close(),
  };
}

function endpoint(): { readonly origin: string; readonly emulated: boolean } {
  const emulator = process.env['STORAGE_EMULATOR_HOST'];
  if (emulator === undefined || emulator === '') {
    return { origin: 'https://storage.googleapis.com', emulated: false };
  }
  return { origin: emulator.includes('://') ? emulator : `http://${emulator}`, emulated: true };
}

function pathOf(bucket: string, name?: string): string {
  const objects = `/storage/v1/b/${encodeURIComponent(bucket)}/o`;
  return name === undefined ? objects : `${objects}/${encodeURIComponent(name)}`;
}

function same(seen: Seen | undefined, bytes: Uint8Array): boolean {
  return seen !== undefined && Buffer.compare(seen.bytes, bytes) === 0;
}
