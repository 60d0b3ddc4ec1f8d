import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { listAt, textIn } from '../../src/json.ts';
import { openWitnessService } from '../../src/witness/service.ts';
import { readFromTiles } from '../../src/witness/tiles.ts';
import { openGate } from '../doubles/gate.ts';

const hash = (...parts: readonly (Uint8Array | string)[]): Buffer => {
  const digest = createHash('sha256');
  for (const part of parts) digest.update(part);
  return digest.digest();
};
const entryAt = (index: number): string =>
  JSON.stringify({ kind: 'hashedrekord', apiVersion: '0.0.2', spec: index });
const leaf = (index: number): Buffer => hash(Buffer.of(0), entryAt(index));

/** RFC 6962, 2.1: the root of leaves from `start` on. */
function rootOf(start: number, leaves: number): Buffer {
  if (leaves === 1) return leaf(start);
  let left = 1;
  while (left * 2 < leaves) left *= 2;
  return hash(Buffer.of(1), rootOf(start, left), rootOf(start + left, leaves - left));
}

/** RFC 9162, 2.1.3.2: the root that an inclusion proof leads to. */
function rootBy(index: number, size: number, proof: readonly Buffer[]): Buffer {
  let [fn, sn, root] = [index, size - 1, leaf(index)];
  for (const node of proof) {
    if (fn % 2 === 1 || fn === sn) {
      root = hash(Buffer.of(1), node, root);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [fn / 2, Math.floor(sn / 2)];
    } else root = hash(Buffer.of(1), root, node);
    [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
  }
  assert.equal(sn, 0);
  return root;
}

const logId = hash('a log');

/** A log that serves its checkpoint and tiles, partial ones too. */
async function serveTiles(size: number) {
  const signature = Buffer.concat([logId.subarray(0, 4), Buffer.from('signed')]).toString('base64');
  const checkpoint = `log.example.com\n${size}\n${rootOf(0, size).toString('base64')}\n\n\u2014 log.example.com ${signature}\n`;
  const numberIn = (path: string): number => Number(path.replace(/\.p\/\d+$/, '').replace(/[x/]/g, ''));
  return openGate(({ url }) => {
    const path = url.pathname.replace('/api/v2/', '');
    if (path === 'checkpoint') return { status: 200, bytes: Buffer.from(checkpoint) };
    const [, level = '', rest = ''] = /^tile\/(entries|\d+)\/(.+)$/.exec(path) ?? [];
    const step = level === 'entries' ? 1 : 256 ** Number(level);
    const first = numberIn(rest) * 256;
    const width = Math.min(256, Math.floor(size / step) - first);
    const isPartial = /\.p\/(\d+)$/.exec(rest);
    if (
      width <= 0 ||
      (isPartial === null) !== (width === 256) ||
      (isPartial !== null && Number(isPartial[1]) !== width)
    )
      return { status: 404 };
    const parts = Array.from({ length: width }, (_, at) => {
      if (level !== 'entries') return rootOf((first + at) * step, step);
      const entry = Buffer.from(entryAt(first + at));
      return Buffer.concat([Buffer.of(entry.length >> 8, entry.length & 0xff), entry]);
    });
    return { status: 200, bytes: Buffer.concat(parts) };
  });
}

for (const size of [1, 2, 3, 7, 255, 256, 257, 511, 600, 1_025]) {
  test(`an entry and its proof are read from the tiles of a log of ${size} entries`, async () => {
    const gate = await serveTiles(size);
    const service = openWitnessService();
    for (const index of new Set(
      [0, 1, 2, 254, 255, 256, 257, 511, 512, size - 2, size - 1].filter((one) => one >= 0 && one < size),
    )) {
      const entry = await readFromTiles(index, {
        service,
        url: gate.url,
        logIds: [logId],
      });
      assert.equal(Buffer.from(textIn(entry['canonicalizedBody']), 'base64').toString(), entryAt(index));
      const proof = listAt(entry, 'inclusionProof', 'hashes').map((one) =>
        Buffer.from(textIn(one), 'base64'),
      );
      assert.deepEqual(rootBy(index, size, proof), rootOf(0, size));
    }
    await Promise.all([service.close(), gate.close()]);
  });
}

test('an entry that the checkpoint does not cover yet is asked for again, and a log that nobody trusts is not read', async () => {
  const gate = await serveTiles(3);
  const service = openWitnessService();
  const options = { service, url: gate.url, logIds: [logId] };
  await assert.rejects(readFromTiles(3, options), {
    code: 'WITNESS_UNAVAILABLE',
    message: /not in the latest checkpoint/,
  });
  await assert.rejects(readFromTiles(0, { ...options, logIds: [hash('another')] }), {
    code: 'WITNESS_REFUSED',
  });
  await Promise.all([service.close(), gate.close()]);
});
