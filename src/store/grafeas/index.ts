import type { Config } from '../../config/keys.ts';
import { ChainsError } from '../../errors.ts';
import { at, type Json, listAt, member } from '../../json.ts';
import { type GoogleService, openGoogle } from '../../http/google.ts';
import { failures, patience } from '../failures.ts';
import { required } from '../settings.ts';
import type { Store } from '../store.ts';
import { type Entries, entriesFor, signaturesIn } from './entries.ts';

const origin = 'https://containeranalysis.googleapis.com';
const scope = 'https://www.googleapis.com/auth/cloud-platform';

/**
 * Opens the store `grafeas`: Container Analysis v1 with application default credentials. Each artifact URI gets one
 * occurrence of a note, which is created where it is missing; one that is there is not written again.
 * @param options `timeout`: milliseconds to wait for each answer
 * @throws ChainsError CONFIG_INVALID without `storage.grafeas.projectid`
 */
export async function openGrafeasStore(
  config: Config,
  options: { readonly timeout?: number } = {},
): Promise<Store> {
  const analysis = openContainerAnalysis(config, options);
  return {
    async store(entry, signal) {
      const entries = entriesFor(entry, config);
      // A run without outputs has no URI to attach anything to.
      for (const uri of entries.resourceUris) await analysis.add(entries, uri, signal);
      return {};
    },
    places(entry) {
      const { noteId, resourceUris } = entriesFor(entry, config);
      return resourceUris.length === 0 ? [] : [`${analysis.parent}/notes/${noteId}`];
    },
    close: () => analysis.close(),
  };
}

/** Opens the API for the project `storage.grafeas.projectid`. @throws ChainsError CONFIG_INVALID */
export function openContainerAnalysis(
  config: Config,
  { timeout = patience }: { readonly timeout?: number } = {},
): ContainerAnalysis {
  const project = required(config, 'grafeas', 'storage.grafeas.projectid');
  const service = openGoogle({ origin, scope, failures, project, patience: timeout, limits: { timeout } });
  return new ContainerAnalysis(service, project);
}

/** Notes and occurrences of one project. */
export class ContainerAnalysis {
  readonly #service: GoogleService;
  /** `projects/PROJECT` */
  readonly parent: string;
  /** Names of notes that were there when last asked. */
  readonly #notes = new Set<string>();

  constructor(service: GoogleService, project: string) {
    this.#service = service;
    this.parent = `projects/${project}`;
  }

  /** Adds an occurrence for the URI, unless there is one with this payload from this key. */
  async add(entries: Entries, resourceUri: string, signal: AbortSignal | undefined): Promise<void> {
    const noteName = `${this.parent}/notes/${entries.noteId}`;
    await this.#ensureNote(noteName, entries, signal);
    try {
      if (await this.#has(noteName, resourceUri, entries, signal)) return;
      await this.#service.call({
        what: `create an occurrence of ${noteName} for ${resourceUri}`,
        method: 'POST',
        url: urlOf(`${this.parent}/occurrences`),
        body: JSON.stringify({ ...entries.occurrence, resourceUri, noteName }),
        signal,
        // Another controller was faster.
        expects: [409],
      });
    } catch (error) {
      // Somebody has removed the note: the next try looks for it again.
      if (error instanceof ChainsError && error.status === 404) this.#notes.delete(noteName);
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#service.close();
  }

  async #ensureNote(
    noteName: string,
    { noteId, note }: Entries,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    if (this.#notes.has(noteName)) return;
    const found = await this.#service.call({
      what: `look for ${noteName}`,
      method: 'GET',
      url: urlOf(noteName),
      signal,
      expects: [404],
    });
    if (found.status === 404) {
      await this.#service.call({
        what: `create ${noteName}`,
        method: 'POST',
        url: urlOf(`${this.parent}/notes`, { noteId }),
        body: JSON.stringify(note),
        signal,
        expects: [409],
      });
    }
    this.#notes.add(noteName);
  }

  async #has(
    noteName: string,
    resourceUri: string,
    wanted: Entries,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    for await (const page of this.#pages(noteName, resourceUri, signal)) {
      for (const one of page) if (await isSame(one, resourceUri, wanted)) return true;
    }
    return false;
  }

  /** A note's occurrences for the URI; none where there is no such note. @throws ChainsError STORE_… */
  async occurrences(
    noteId: string,
    resourceUri: string,
    signal?: AbortSignal,
  ): Promise<{ readonly noteName: string; readonly occurrences: readonly Json[] }> {
    const noteName = `${this.parent}/notes/${noteId}`;
    const occurrences: Json[] = [];
    try {
      for await (const page of this.#pages(noteName, resourceUri, signal)) occurrences.push(...page);
    } catch (error) {
      if (!(error instanceof ChainsError) || error.status !== 404) throw error;
    }
    return { noteName, occurrences };
  }

  async *#pages(
    noteName: string,
    resourceUri: string,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<readonly Json[]> {
    let pageToken = '';
    do {
      const filter = `resourceUrl=${JSON.stringify(resourceUri)}`;
      const { body } = await this.#service.call({
        what: `list the occurrences of ${noteName} for ${resourceUri}`,
        method: 'GET',
        url: urlOf(`${noteName}/occurrences`, { filter, pageToken }),
        signal,
      });
      yield listAt(body, 'occurrences');
      pageToken = String(member(body, 'nextPageToken') ?? '');
    } while (pageToken !== '');
  }
}

function urlOf(name: string, query: Readonly<Record<string, string>> = {}): string {
  const path = name.split('/').map(encodeURIComponent).join('/');
  return `${origin}/v1/${path}?${new URLSearchParams(query).toString()}`;
}

async function isSame(occurrence: Json, resourceUri: string, wanted: Entries): Promise<boolean> {
  const { envelope } = wanted.occurrence;
  const there = at(occurrence, 'envelope');
  const names = envelope.signatures.map(({ keyid }) => keyid);
  const named = signaturesIn(there).filter(({ keyid }) => names.includes(keyid));
  return (
    member(occurrence, 'resourceUri') === resourceUri &&
    member(there, 'payloadType') === envelope.payloadType &&
    member(there, 'payload') === envelope.payload &&
    wanted.hasOurs(named.map(({ sig }) => Buffer.from(sig, 'base64')))
  );
}
