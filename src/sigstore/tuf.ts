import { Readable } from 'node:stream';
import { EqualVersionError } from 'tuf-js/dist/error.js';
import { TrustedMetadataStore } from 'tuf-js/dist/store.js';
import { ChainsError, reasonOf } from '../errors.ts';
import { failuresOf } from '../http/failures.ts';
import { openService, type Service } from '../http/service.ts';
import type { HearSigstore } from '../model/sigstore.ts';
import { withoutTrailing } from '../text.ts';
import { heard } from './heard.ts';
import { parseTrustedRoot, type TrustedRoot } from './trusted-root.ts';

/** A TUF repository, and the root metadata to begin with. */
export interface TufOptions {
  readonly mirror: string;
  /** JSON of a root; undefined to trust the first one that the mirror gives. */
  readonly root: Uint8Array | undefined;
  readonly hear?: HearSigstore;
}

/** The trusted root of a TUF repository, read again from time to time. */
export interface TufRoot {
  /**
   * The trusted root as the repository has it, at most a day old. While the mirror fails the last one remains in use as long
   * as its metadata is valid.
   * @throws ChainsError TRUSTED_ROOT_INVALID
   */
  current(): Promise<TrustedRoot>;
  close(): Promise<void>;
}

/** Milliseconds: how old the trusted root may get, and how soon a mirror that failed is asked again. */
const [longestAge, shortestPause] = [86_400_000, 60_000];
/** Milliseconds for one file. */
const patience = 20_000;
/** How many newer roots are read in one go; the files' sizes in bytes. */
const mostRoots = 256;
const longest = { root: 512_000, timestamp: 16_384, snapshot: 2_000_000, targets: 5_000_000 };
const target = 'trusted_root.json';

const failures = failuresOf({
  unavailable: 'TRUSTED_ROOT_INVALID',
  refused: 'TRUSTED_ROOT_INVALID',
  passing: [],
});

interface Metadata {
  readonly root: Buffer;
  readonly timestamp: Buffer;
  readonly snapshot: Buffer;
  readonly trusted: TrustedRoot;
  /** When the first part of it expires; milliseconds since the epoch. */
  readonly expires: number;
}

/** Opens a TUF repository; nothing is asked of it before the trusted root is needed. Its cache is in memory. */
export function openTuf({ mirror, root, hear = () => {} }: TufOptions): TufRoot {
  const service = openService({
    failures,
    reasonIn: () => '',
    timeout: patience,
    longestAnswer: longest.targets,
  });
  const base = withoutTrailing(mirror, '/');
  let known: Metadata | undefined;
  let lookAgain = 0;
  let looking: Promise<Metadata> | undefined;

  async function refresh(): Promise<Metadata> {
    const first = known?.root ?? root ?? (await file(service, `${base}/root.json`, longest.root));
    if (first === undefined)
      throw new ChainsError('TRUSTED_ROOT_INVALID', `${base}/root.json: there is no such file`);
    try {
      return await load(service, base, Buffer.from(first), known);
    } catch (error) {
      if (error instanceof ChainsError) throw error;
      throw new ChainsError('TRUSTED_ROOT_INVALID', `the TUF repository ${base}: ${reasonOf(error)}`);
    }
  }

  return {
    async current() {
      if (known !== undefined && Date.now() < Math.min(lookAgain, known.expires)) return known.trusted;
      looking ??= heard(hear, 'tuf', refresh).finally(() => {
        looking = undefined;
      });
      try {
        known = await looking;
        lookAgain = Date.now() + longestAge;
      } catch (error) {
        if (known === undefined || Date.now() >= known.expires) throw error;
        lookAgain = Date.now() + shortestPause;
      }
      return known.trusted;
    },
    close: () => service.close(),
  };
}

/** TUF's client workflow (TUF 1.0, 5.3 to 5.7); the library decides what is taken. */
async function load(
  service: Service,
  base: string,
  first: Buffer,
  before: Metadata | undefined,
): Promise<Metadata> {
  const store = new TrustedMetadataStore(first);
  let root = first;
  for (let read = 0; read < mostRoots; read += 1) {
    const next = await file(service, `${base}/${store.root.signed.version + 1}.root.json`, longest.root);
    if (next === undefined) break;
    store.updateRoot(next);
    root = next;
  }
  if (before !== undefined) remember(store, before);
  const timestamp = await needed(service, `${base}/timestamp.json`, longest.timestamp);
  try {
    store.updateTimestamp(timestamp);
  } catch (error) {
    // The same as before is no news.
    if (!(error instanceof EqualVersionError)) throw error;
  }
  const { consistentSnapshot } = store.root.signed;
  const version = (number: number | undefined) => (consistentSnapshot ? `${number}.` : '');
  const snapshotVersion = store.timestamp?.signed.snapshotMeta.version;
  const snapshot = await needed(
    service,
    `${base}/${version(snapshotVersion)}snapshot.json`,
    longest.snapshot,
  );
  store.updateSnapshot(snapshot);
  const targetsVersion = store.snapshot?.signed.meta['targets.json']?.version;
  const targets = await needed(service, `${base}/${version(targetsVersion)}targets.json`, longest.targets);
  store.updateDelegatedTargets(targets, 'targets', 'root');
  const info = store.targets?.signed.targets[target];
  if (info === undefined) throw new Error(`it has no target ${target}`);
  const hash = consistentSnapshot ? `${Object.values(info.hashes)[0]}.` : '';
  const bytes = await needed(
    service,
    `${base}/targets/${hash}${target}`,
    Math.min(info.length, longest.targets),
  );
  await info.verify(Readable.from([bytes]));
  const expiries = [store.root, store.timestamp, store.snapshot, store.targets].map((part) =>
    Date.parse(part?.signed.expires ?? ''),
  );
  const trusted = parseTrustedRoot(bytes.toString('utf8'), `${target} of ${base}`);
  return { root, timestamp, snapshot, trusted, expires: Math.min(...expiries) };
}

/** So that the mirror can't go back behind what it has shown before. What has expired since is no longer good for that. */
function remember(store: TrustedMetadataStore, { timestamp, snapshot }: Metadata): void {
  try {
    store.updateTimestamp(timestamp);
    store.updateSnapshot(snapshot, true);
  } catch {
    // Their versions are kept all the same; what is valid comes from the mirror.
  }
}

async function needed(service: Service, url: string, most: number): Promise<Buffer> {
  const bytes = await file(service, url, most);
  if (bytes === undefined) throw new Error(`${url}: there is no such file`);
  return bytes;
}

/** Undefined where there is none; storage services answer 403 then, too. */
async function file(service: Service, url: string, most: number): Promise<Buffer | undefined> {
  const { status, bytes } = await service.call({
    what: `read ${url}`,
    method: 'GET',
    url,
    headers: { accept: '*/*' },
    expects: [403, 404],
  });
  if (status >= 400) return undefined;
  if (bytes.length > most) throw new Error(`${url} is longer than ${most} bytes`);
  return Buffer.from(bytes);
}
