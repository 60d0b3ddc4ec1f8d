import type { Config } from '../../config/keys.ts';
import { ChainsError } from '../../errors.ts';
import { includesSignatureOf } from '../../keys/signed-by.ts';
import { type Json, listAt, member } from '../../json.ts';
import { type GoogleService, openGoogle } from '../../http/google.ts';
import { failures, defaultTimeout, required } from '../failures.ts';
import { type Entries, signaturesIn } from './entries.ts';

const origin = 'https://containeranalysis.googleapis.com';
const scope = 'https://www.googleapis.com/auth/cloud-platform';

/** Notes and occurrences of the project `storage.grafeas.projectid`. */
export class ContainerAnalysis {
  readonly #service: GoogleService;
  /** `projects/PROJECT` */
  readonly #parent: string;
  /** Names of notes that were there when last asked. */
  readonly #notes = new Set<string>();

  /** @throws ChainsError CONFIG_INVALID */
  constructor(config: Config, timeout = defaultTimeout) {
    const project = required(config, 'grafeas', 'storage.grafeas.projectid');
    this.#parent = `projects/${project}`;
    const limits = { timeout };
    this.#service = openGoogle({ origin, scope, failures, project, timeout, limits });
  }

  /** `projects/PROJECT/notes/ID` */
  noteName(noteId: string): string {
    return `${this.#parent}/notes/${noteId}`;
  }

  /** Adds an occurrence for the URI, unless there is one with this payload from this key. */
  async add(entries: Entries, resourceUri: string, signal?: AbortSignal): Promise<void> {
    const noteName = this.noteName(entries.noteId);
    await this.#ensureNote(noteName, entries, signal);
    try {
      for await (const one of this.#occurrences(noteName, resourceUri, signal))
        if (await isSame(one, resourceUri, entries)) return;
      const what = `create an occurrence of ${noteName} for ${resourceUri}`;
      const url = urlOf(`${this.#parent}/occurrences`);
      const body = JSON.stringify({ ...entries.occurrence, resourceUri, noteName });
      // 409: another controller was faster.
      await this.#service.call({ what, method: 'POST', url, body, signal, expects: [409] });
    } catch (error) {
      // Somebody has removed the note: the next try looks for it again.
      if (error instanceof ChainsError && error.status === 404) this.#notes.delete(noteName);
      throw error;
    }
  }

  /** A note's occurrences for the URI; none where there is no such note. @throws ChainsError STORE_… */
  async occurrences(noteName: string, resourceUri: string, signal?: AbortSignal): Promise<readonly Json[]> {
    try {
      return await Array.fromAsync(this.#occurrences(noteName, resourceUri, signal));
    } catch (error) {
      if (error instanceof ChainsError && error.status === 404) return [];
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#service.close();
  }

  async #ensureNote(noteName: string, { noteId, note }: Entries, signal?: AbortSignal): Promise<void> {
    if (this.#notes.has(noteName)) return;
    const look = { what: `look for ${noteName}`, method: 'GET', url: urlOf(noteName), signal } as const;
    const { status } = await this.#service.call({ ...look, expects: [404] });
    if (status === 404) {
      const what = `create ${noteName}`;
      const url = urlOf(`${this.#parent}/notes`, { noteId });
      const body = JSON.stringify(note);
      await this.#service.call({ what, method: 'POST', url, body, signal, expects: [409] });
    }
    this.#notes.add(noteName);
  }

  async *#occurrences(noteName: string, resourceUri: string, signal?: AbortSignal): AsyncGenerator<Json> {
    const what = `list the occurrences of ${noteName} for ${resourceUri}`;
    const filter = `resourceUrl=${JSON.stringify(resourceUri)}`;
    let pageToken = '';
    do {
      const url = urlOf(`${noteName}/occurrences`, { filter, pageToken });
      const { body } = await this.#service.call({ what, method: 'GET', url, signal });
      yield* listAt(body, 'occurrences');
      pageToken = String(member(body, 'nextPageToken') ?? '');
    } while (pageToken !== '');
  }
}

function urlOf(name: string, query: Readonly<Record<string, string>> = {}): string {
  const path = name.split('/').map(encodeURIComponent).join('/');
  return `/v1/${path}?${new URLSearchParams(query).toString()}`;
}

async function isSame(found: Json, resourceUri: string, { entry, occurrence }: Entries): Promise<boolean> {
  const { payload, payloadType, signatures } = occurrence.envelope;
  const stored = member(found, 'envelope');
  const names = signatures.map(({ keyid }) => keyid);
  const ours = signaturesIn(stored).filter(({ keyid }) => names.includes(keyid));
  const bytes = ours.map(({ sig }) => Buffer.from(sig, 'base64'));
  return (
    member(found, 'resourceUri') === resourceUri &&
    member(stored, 'payloadType') === payloadType &&
    member(stored, 'payload') === payload &&
    includesSignatureOf(entry, bytes)
  );
}
