import { createHash } from 'node:crypto';
import { once } from '../concurrency.ts';
import type { Service } from '../http/service.ts';
import { at, type JsonObject, parseBounded, textIn } from '../json.ts';
import { base64 } from '../keys/pem.ts';
import { failures } from './service.ts';

/** Hashes in a full tile, and the levels of the tree that one covers. */
const [tileWidth, tileLevels] = [256, 8];
const hashLength = 32;

/** The log whose tiles are read. */
export interface TilesOptions {
  readonly service: Service;
  /** The log's address. */
  readonly url: string;
  /** The ids of the logs that are trusted: a checkpoint holds only four bytes of its log's id. */
  readonly logIds: readonly Uint8Array[];
}

/**
 * Reads an entry of a log of Rekor v2 from its checkpoint and tiles (C2SP, tlog-tiles), with a proof that it is included.
 * Nothing is verified here: the caller verifies the entry and its proof.
 * @throws ChainsError WITNESS_…
 */
export async function readFromTiles(index: number, options: TilesOptions): Promise<JsonObject> {
  const { url, logIds } = options;
  const what = `read entry ${index} of ${url}`;
  const envelope = Buffer.from(await read(options, 'checkpoint')).toString('utf8');
  const { size, root, keyHint } = checkpointIn(envelope);
  if (index >= size) throw failures.unanswered(what, 'it is not in the latest checkpoint yet');
  const logId = logIds.find((id) => Buffer.from(id.subarray(0, 4)).equals(keyHint));
  if (logId === undefined)
    throw failures.unusable(`${what}: the trusted root has no log that signs such checkpoints`);
  const body = await entryAt(options, index, size, what);
  const hashes = await inclusionProof(treeOf(options, size), index, 0, size);
  const json = parseBounded(body.toString('utf8'));
  return {
    logIndex: String(index),
    logId: { keyId: base64(logId) },
    kindVersion: { kind: textIn(at(json, 'kind')), version: textIn(at(json, 'apiVersion')) },
    integratedTime: '0',
    inclusionProof: {
      logIndex: String(index),
      rootHash: root,
      treeSize: String(size),
      hashes: hashes.map(base64),
      checkpoint: { envelope },
    },
    canonicalizedBody: base64(body),
  };
}

/** Origin, size and root hash, a line each, then signatures: `— NAME BASE64`, whose first four bytes name the key. */
function checkpointIn(envelope: string): { size: number; root: string; keyHint: Buffer } {
  const [, size = '', root = ''] = envelope.split('\n');
  const [, signature = ''] = /^\u2014 \S+ (\S+)$/mu.exec(envelope) ?? [];
  if (!/^\d{1,15}$/.test(size)) throw failures.unreadable('read the checkpoint', 'no size');
  return { size: Number(size), root, keyHint: Buffer.from(signature, 'base64').subarray(0, 4) };
}

/** A bundle holds up to 256 entries, each after its length in two bytes. */
async function entryAt(options: TilesOptions, index: number, size: number, what: string): Promise<Buffer> {
  const number = Math.floor(index / tileWidth);
  const bundle = Buffer.from(await read(options, `tile/entries/${pathOf(number, size)}`));
  let offset = 0;
  for (let left = index % tileWidth; offset + 2 <= bundle.length; left -= 1) {
    const end = offset + 2 + bundle.readUInt16BE(offset);
    if (left === 0) return bundle.subarray(offset + 2, end);
    offset = end;
  }
  throw failures.unreadable(what, 'no such entry in its bundle');
}

/** The hash of a whole subtree: its leaves are a power of two, and it starts at a multiple of that. */
type Tree = (start: number, leaves: number) => Promise<Uint8Array>;

function treeOf(options: TilesOptions, size: number): Tree {
  const tile = once((path: string) => read(options, path));
  return async (start, leaves) => {
    const level = Math.floor(Math.log2(leaves) / tileLevels);
    const span = tileWidth ** level;
    const [first, count] = [start / span, leaves / span];
    const path = pathOf(Math.floor(first / tileWidth), Math.floor(size / span));
    const bytes = await tile(`tile/${level}/${path}`);
    const from = first % tileWidth;
    const hashes = Array.from({ length: count }, (_, one) =>
      bytes.subarray((from + one) * hashLength, (from + one + 1) * hashLength),
    );
    return combined(hashes);
  };
}

function combined(hashes: readonly Uint8Array[]): Uint8Array {
  const [first, ...more] = hashes;
  if (first === undefined || first.length !== hashLength)
    throw failures.unreadable('read a tile of the log', 'too few hashes');
  if (more.length === 0) return first;
  const half = hashes.length / 2;
  return nodeHash(combined(hashes.slice(0, half)), combined(hashes.slice(half)));
}

/** RFC 6962, 2.1.1: the sibling hashes on the path from a leaf to the root. */
async function inclusionProof(
  tree: Tree,
  index: number,
  start: number,
  leaves: number,
): Promise<readonly Uint8Array[]> {
  if (leaves === 1) return [];
  const left = largestPower(leaves - 1);
  const middle = start + left;
  return index < middle
    ? [...(await inclusionProof(tree, index, start, left)), await hashOf(tree, middle, leaves - left)]
    : [...(await inclusionProof(tree, index, middle, leaves - left)), await hashOf(tree, start, left)];
}

async function hashOf(tree: Tree, start: number, leaves: number): Promise<Uint8Array> {
  const left = largestPower(leaves);
  if (left === leaves) return tree(start, leaves);
  return nodeHash(await tree(start, left), await hashOf(tree, start + left, leaves - left));
}

/** The largest power of two that is not larger than the number. */
function largestPower(number: number): number {
  let power = 1;
  while (power * 2 <= number) power *= 2;
  return power;
}

function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return createHash('sha256').update(Buffer.of(1)).update(left).update(right).digest();
}

/** `x001/234`, with `.p/WIDTH` after the path of a partial tile. */
function pathOf(number: number, width: number): string {
  const digits = String(number);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/\d{3}/g) ?? [];
  const path = groups.map((group, at) => (at === groups.length - 1 ? group : `x${group}`)).join('/');
  const left = width - number * tileWidth;
  return left < tileWidth ? `${path}.p/${left}` : path;
}

async function read({ service, url }: TilesOptions, path: string): Promise<Uint8Array> {
  const address = `${url}/api/v2/${path}`;
  const headers = { accept: '*/*' };
  return (await service.call({ what: `read ${address}`, method: 'GET', url: address, headers })).bytes;
}
