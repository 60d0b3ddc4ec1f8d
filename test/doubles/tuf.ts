import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { isJsonList, isJsonObject, type Json, type JsonObject } from '../../src/json.ts';
import { type Gate, openGate } from './gate.ts';

/** What a TUF repository is to serve next. */
export interface TufRelease {
  readonly trustedRoot: string;
  /** Of timestamp, snapshot and targets. */
  readonly version: number;
  /** When they expire. */
  readonly expires?: Date;
  /** Signs instead of the repository's own key. */
  readonly forger?: KeyObject;
}

/** A TUF repository with one key for everything, which can be rotated. */
export interface TufRepository {
  readonly gate: Gate;
  /** The first root, JSON. */
  readonly root: Buffer;
  publish(release: TufRelease): void;
  /** Publishes another root, signed by the old key and the new one, which signs from now on. */
  rotate(): void;
  /** Serves other bytes for a file. */
  readonly files: Map<string, Buffer>;
}

const tomorrow = (): Date => new Date(Date.now() + 86_400_000);

/** Starts one, with consistent snapshots as Sigstore's repositories have them. */
export async function startTufRepository(first: TufRelease): Promise<TufRepository> {
  const files = new Map<string, Buffer>();
  const gate = await openGate(({ url }) => {
    const bytes = files.get(url.pathname.slice(1));
    return bytes === undefined ? { status: 404 } : { status: 200, bytes };
  });
  let key = generateKeyPairSync('ed25519').privateKey;
  let rootVersion = 1;

  const rootOf = (signers: readonly KeyObject[]): Buffer => {
    const role = { keyids: [idOf(key)], threshold: 1 };
    return signed(
      {
        ...{ _type: 'root', spec_version: '1.0.0', version: rootVersion, expires: timeOf(tomorrow()) },
        consistent_snapshot: true,
        keys: { [idOf(key)]: publicOf(key) },
        roles: { root: role, timestamp: role, snapshot: role, targets: role },
      },
      signers,
    );
  };
  const publish = ({ trustedRoot, version, expires = tomorrow(), forger }: TufRelease): void => {
    const signers = [forger ?? key];
    const common = { spec_version: '1.0.0', version, expires: timeOf(expires) };
    const target = Buffer.from(trustedRoot);
    const targets = signed(
      { _type: 'targets', ...common, targets: { 'trusted_root.json': describe(target) } },
      signers,
    );
    const snapshot = signed({ _type: 'snapshot', ...common, meta: { 'targets.json': { version } } }, signers);
    const timestamp = signed(
      { _type: 'timestamp', ...common, meta: { 'snapshot.json': { version } } },
      signers,
    );
    files.set('timestamp.json', timestamp);
    files.set(`${version}.snapshot.json`, snapshot);
    files.set(`${version}.targets.json`, targets);
    files.set(`targets/${sha256(target)}.trusted_root.json`, target);
  };

  const root = rootOf([key]);
  files.set('root.json', root);
  publish(first);
  return {
    gate,
    root,
    files,
    publish,
    rotate() {
      const old = key;
      key = generateKeyPairSync('ed25519').privateKey;
      rootVersion += 1;
      files.set(`${rootVersion}.root.json`, rootOf([old, key]));
    },
  };
}

function publicOf(key: KeyObject): JsonObject {
  const { x = '' } = key.export({ format: 'jwk' });
  return {
    keytype: 'ed25519',
    scheme: 'ed25519',
    keyval: { public: Buffer.from(x, 'base64url').toString('hex') },
  };
}

function idOf(key: KeyObject): string {
  return sha256(canonical(publicOf(key)));
}

function signed(metadata: JsonObject, signers: readonly KeyObject[]): Buffer {
  const text = Buffer.from(canonical(metadata));
  const signatures = signers.map((key) => ({ keyid: idOf(key), sig: sign(null, text, key).toString('hex') }));
  return Buffer.from(JSON.stringify({ signatures, signed: metadata }));
}

/** Canonical JSON as TUF signs it: members in order, nothing between them. */
function canonical(json: Json | undefined): string {
  if (isJsonList(json)) return `[${json.map(canonical).join()}]`;
  if (!isJsonObject(json)) return JSON.stringify(json);
  const members = Object.keys(json).toSorted();
  return `{${members.map((name) => `${JSON.stringify(name)}:${canonical(json[name])}`).join()}}`;
}

function describe(target: Buffer): JsonObject {
  return { length: target.length, hashes: { sha256: sha256(target) } };
}

function timeOf(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}

function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}
