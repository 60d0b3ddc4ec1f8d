import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Line, lines } from '../../src/kubernetes/watch-event.ts';

async function split(chunks: Iterable<Uint8Array>): Promise<readonly Line[]> {
  async function* source() {
    yield* chunks;
  }
  const found: Line[] = [];
  for await (const line of lines(source())) found.push(line);
  return found;
}

function* cut(bytes: Uint8Array, size: () => number): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; ) {
    const end = start + size();
    yield bytes.subarray(start, end);
    start = end;
  }
}

/** The same numbers in every run. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

test('lines come whole wherever the chunks are cut, within characters and line ends too', async () => {
  const random = randomNumbers(42);
  const letters = ['a', 'é', '☃', '🎉', '"', '\\n', '\u2028', ' '];
  for (let round = 0; round < 300; round++) {
    const texts = Array.from({ length: random(12) }, () =>
      Array.from({ length: 1 + random(30) }, () => letters[random(letters.length)]).join(''),
    );
    const bytes = Buffer.from(texts.map((text) => text + (random(2) === 0 ? '\n' : '\r\n')).join(''));
    const found = await split(cut(bytes, () => 1 + random(7)));
    assert.deepEqual(
      found,
      texts.map((text) => ({ text, bytes: Buffer.byteLength(text) })),
    );
  }
});

test('empty lines are left out and an unfinished last line is given', async () => {
  const found = await split([Buffer.from('\n\r\na\n\n'), Buffer.from('b')]);
  assert.deepEqual(
    found.map(({ text }) => text),
    ['a', 'b'],
  );
});

test('a chunk may be a part of a larger buffer', async () => {
  const whole = Buffer.from('xxone\ntwo\nxx');
  assert.deepEqual(
    (await split([whole.subarray(2, 10)])).map(({ text }) => text),
    ['one', 'two'],
  );
});

test('a line of many chunks costs no more for each chunk than a short one', async () => {
  const chunks = (count: number) => [
    ...Array.from({ length: count }, () => Buffer.alloc(64, 'x')),
    Buffer.from('\n'),
  ];
  const [line] = await split(chunks(200_000));
  assert.equal(line?.bytes, 12_800_000);
});
