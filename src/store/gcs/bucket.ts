import { ChainsError } from '../../errors.ts';
import { listAt, member } from '../../json.ts';
import { type GoogleService, openGoogle } from '../../http/google.ts';
import { failures, defaultTimeout, unreadable } from '../failures.ts';
import { upload } from './upload.ts';

/** An object at one of its generations. */
interface ObjectVersion {
  readonly bytes: Uint8Array;
  readonly generation: string;
}

/** The `ifGenerationMatch` of an object that must not exist. */
const none = '0';

const scope = 'https://www.googleapis.com/auth/devstorage.read_write';

const hint =
  'Give the account the role Storage Object User (roles/storage.objectUser) on the bucket: an object is read before it is written.';

/**
 * A bucket of Google Cloud Storage over the JSON API; `STORAGE_EMULATOR_HOST` names an emulator to use instead. Errors are
 * STORE_REFUSED and STORE_UNAVAILABLE.
 */
export class Bucket {
  readonly name: string;
  readonly #google: GoogleService;

  /** @param timeout how long to wait for an answer, in milliseconds */
  constructor(name: string, timeout = defaultTimeout) {
    const limits = { silence: timeout };
    this.name = name;
    this.#google = openGoogle({ ...endpoint(), scope, failures, project: 'none', timeout, limits });
  }

  async read(name: string, signal?: AbortSignal): Promise<ObjectVersion | undefined> {
    const what = `read gs://${this.name}/${name}`;
    const url = `${this.#urlOf(name)}?alt=media`;
    const headers = { accept: '*/*' };
    const expects = [404];
    const answer = await this.#google.call({ what, method: 'GET', url, headers, expects, signal, hint });
    if (answer.status === 404) return undefined;
    const generation = answer.headers['x-goog-generation'];
    if (typeof generation === 'string') return { bytes: answer.bytes, generation };
    throw unreadable(what, 'no generation');
  }

  /**
   * Writes an object unless it was seen with the same bytes. The write takes effect only on what was seen, so that one
   * that comes late, or twice, changes nothing that others have written meanwhile.
   */
  async put(
    name: string,
    bytes: Uint8Array,
    seen: ObjectVersion | undefined,
    signal?: AbortSignal,
  ): Promise<void> {
    if (isSame(seen, bytes)) return;
    const what = `write gs://${this.name}/${name}`;
    const ifGenerationMatch = seen?.generation ?? none;
    const object = { what, bucket: this.name, name, bytes, ifGenerationMatch, signal, hint };
    if (await upload(this.#google, object)) return;
    // Perhaps it was an attempt of ours whose answer got lost.
    if (isSame(await this.read(name, signal), bytes)) return;
    throw new ChainsError(
      'STORE_UNAVAILABLE',
      `${what}: another writer changed it at the same time; it is tried again`,
    );
  }

  /** Removes an object if it is there. */
  async remove(name: string, signal?: AbortSignal): Promise<void> {
    const what = `delete gs://${this.name}/${name}`;
    const url = this.#urlOf(name);
    await this.#google.call({ what, method: 'DELETE', url, expects: [404], signal, hint });
  }

  /** The names of all objects that begin with the prefix. */
  async list(prefix: string, signal?: AbortSignal): Promise<readonly string[]> {
    const what = `list gs://${this.name}/${prefix}*`;
    const names: string[] = [];
    for (let pageToken = ''; ; ) {
      const query = new URLSearchParams({ prefix, ...(pageToken === '' ? {} : { pageToken }) }).toString();
      const url = `${this.#urlOf()}?${query}`;
      const { body } = await this.#google.call({ what, method: 'GET', url, signal, hint });
      if (body === undefined) throw unreadable(what, 'no JSON');
      names.push(...listAt(body, 'items').map((item) => String(member(item, 'name'))));
      pageToken = String(member(body, 'nextPageToken') ?? '');
      if (pageToken === '') return names;
    }
  }

  close(): Promise<void> {
    return this.#google.close();
  }

  #urlOf(name?: string): string {
    const objects = `/storage/v1/b/${encodeURIComponent(this.name)}/o`;
    return name === undefined ? objects : `${objects}/${encodeURIComponent(name)}`;
  }
}

function endpoint(): { readonly origin: string; readonly emulated: boolean } {
  const emulator = process.env['STORAGE_EMULATOR_HOST'] ?? '';
  if (emulator === '') return { origin: 'https://storage.googleapis.com', emulated: false };
  return { origin: emulator.includes('://') ? emulator : `http://${emulator}`, emulated: true };
}

function isSame(seen: ObjectVersion | undefined, bytes: Uint8Array): boolean {
  return seen !== undefined && Buffer.compare(seen.bytes, bytes) === 0;
}
