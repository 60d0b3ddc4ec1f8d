import { Readable } from 'node:stream';
import { EqualVersionError } from 'tuf-js/dist/error.js';
import { TrustedMetadataStore } from 'tuf-js/dist/store.js';
import { ChainsError, reasonOf } from '../errors.ts';
import { failuresOf } from '../http/failures.ts';
import { openService } from '../http/service.ts';
import type { SigstoreListener } from '../model/sigstore.ts';
import { withoutTrailing } from '../text.ts';
import { reportOutcome } from './report.ts';
import { parseTrustedRoot, type TrustedRoot } from './trusted-root.ts';

/** A TUF repository, and the root metadata to start from. */
interface TufOptions {
  readonly mirror: string;
  /** A root in JSON; undefined to trust the first one that the mirror serves. */
  readonly root: Uint8Array | undefined;
  readonly onSigstore?: SigstoreListener;
}

/** The trusted root of a TUF repository. */
interface TufRoot {
  /**
   * The trusted root as the repository has it, at most a day old. While the mirror fails, the last one remains in use as long
   * as its metadata is valid.
   * @throws ChainsError TRUSTED_ROOT_INVALID
   */
  current(): Promise<TrustedRoot>;
  close(): Promise<void>;
}

/** Milliseconds: the maximum age of the trusted root, and the pause after a failure. */
const [longestAge, pauseAfterFailure] = [86_400_000, 60_000];
/** The most newer roots that one refresh reads. */
const mostRoots = 256;
/** The largest files, in bytes. */
const longest = { root: 512_000, timestamp: 16_384, snapshot: 2_000_000, targets: 5_000_000 };
const target = 'trusted_root.json';

const failures = failuresOf({
  unavailable: 'TRUSTED_ROOT_INVALID',
  refused: 'TRUSTED_ROOT_INVALID',
  temporary: [],
});

interface Metadata {
  readonly root: Uint8Array;
  readonly timestamp: Buffer;
  readonly snapshot: Buffer;
  readonly trusted: TrustedRoot;
  /** When the first part of it expires, in milliseconds since the epoch. */
  readonly expires: number;
}

/** Reads a file of a repository; undefined if there is none. @throws Error if it is longer than `most` bytes */
type ReadFile = (path: string, most: number) => Promise<Buffer | undefined>;

/** Opens a TUF repository; nothing is read before the trusted root is needed. Its cache is in memory. */
export function openTuf({ mirror, root, onSigstore = () => {} }: TufOptions): TufRoot {
  const service = openService({
    failures,
    reasonIn: () => '',
    timeout: 20_000,
    longestAnswer: longest.targets,
  });
  const base = withoutTrailing(mirror, '/');
  let known: Metadata | undefined;
  let nextRefresh = 0;
  let refreshing: Promise<Metadata> | undefined;

  async function read(path: string, most: number): Promise<Buffer | undefined> {
    const url = `${base}/${path}`;
    // Storage services answer 403 for a missing file, too.
    const expects = [403, 404];
    const headers = { accept: '*/*' };
    const call = { what: `read ${url}`, method: 'GET', url, headers, expects } as const;
    const { status, bytes } = await service.call(call);
    if (status >= 400) return undefined;
    if (bytes.length > most) throw new Error(`${url} is longer than ${most} bytes`);
    return Buffer.from(bytes);
  }

  async function refresh(): Promise<Metadata> {
    const first = known?.root ?? root ?? (await read('root.json', longest.root));
    if (first === undefined)
      throw new ChainsError('TRUSTED_ROOT_INVALID', `${base}/root.json: there is no such file`);
    try {
      return await load(read, base, Buffer.from(first), known);
    } catch (error) {
      if (error instanceof ChainsError) throw error;
      throw new ChainsError('TRUSTED_ROOT_INVALID', `the TUF repository ${base}: ${reasonOf(error)}`);
    }
  }

  return {
    async current() {
      if (known !== undefined && Date.now() < Math.min(nextRefresh, known.expires)) return known.trusted;
      refreshing ??= reportOutcome(onSigstore, 'tuf', refresh).finally(() => {
        refreshing = undefined;
      });
      try {
        known = await refreshing;
        nextRefresh = Date.now() + longestAge;
      } catch (error) {
        if (known === undefined || Date.now() >= known.expires) throw error;
        nextRefresh = Date.now() + pauseAfterFailure;
      }
      return known.trusted;
    },
    close: () => service.close(),
  };
}

/** TUF's client workflow (TUF 1.0, 5.3 to 5.7); the library decides what is accepted. */
async function load(
  read: ReadFile,
  base: string,
  first: Buffer,
  before: Metadata | undefined,
): Promise<Metadata> {
  const needed = async (path: string, most: number): Promise<Buffer> => {
    const bytes = await read(path, most);
    if (bytes === undefined) throw new Error(`${base}/${path}: there is no such file`);
    return bytes;
  };
  const store = new TrustedMetadataStore(first);
  let root = first;
  for (let count = 0; count < mostRoots; count += 1) {
    const next = await read(`${store.root.signed.version + 1}.root.json`, longest.root);
    if (next === undefined) break;
    store.updateRoot(next);
    root = next;
  }
  if (before !== undefined) restore(store, before);
  const timestamp = await needed('timestamp.json', longest.timestamp);
  try {
    store.updateTimestamp(timestamp);
  } catch (error) {
    // The same version as before is not an error.
    if (!(error instanceof EqualVersionError)) throw error;
  }
  const { consistentSnapshot } = store.root.signed;
  const prefix = (part: string | number | undefined) => (consistentSnapshot ? `${part}.` : '');
  const snapshotVersion = store.timestamp?.signed.snapshotMeta.version;
  const snapshot = await needed(`${prefix(snapshotVersion)}snapshot.json`, longest.snapshot);
  store.updateSnapshot(snapshot);
  const targetsVersion = store.snapshot?.signed.meta['targets.json']?.version;
  const targets = await needed(`${prefix(targetsVersion)}targets.json`, longest.targets);
  store.updateDelegatedTargets(targets, 'targets', 'root');
  const info = store.targets?.signed.targets[target];
  if (info === undefined) throw new Error(`it has no target ${target}`);
  const path = `targets/${prefix(Object.values(info.hashes)[0])}${target}`;
  const bytes = await needed(path, Math.min(info.length, longest.targets));
  await info.verify(Readable.from([bytes]));
  const expiries = [store.root, store.timestamp, store.snapshot, store.targets].map((part) =>
    Date.parse(part?.signed.expires ?? ''),
  );
  const trusted = parseTrustedRoot(bytes.toString('utf8'), `${target} of ${base}`);
  return { root, timestamp, snapshot, trusted, expires: Math.min(...expiries) };
}

/** Loads what was read before, so that the mirror can't roll back to an older version. */
function restore(store: TrustedMetadataStore, { timestamp, snapshot }: Metadata): void {
  try {
    store.updateTimestamp(timestamp);
    store.updateSnapshot(snapshot, true);
  } catch {
    // Expired metadata is refused, but its version has been kept.
  }
}
