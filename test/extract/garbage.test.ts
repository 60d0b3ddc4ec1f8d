import assert from 'node:assert/strict';
import { test } from 'node:test';
import { extract } from '../../src/extract/index.ts';
import { formats } from '../../src/format/index.ts';
import { parseConfig } from '../../src/config/parse.ts';
import type { Json } from '../../src/json.ts';
import { digest, taskRun } from '../runs.ts';

/** A generator that gives the same numbers for the same seed (mulberry32), so that a failure can be seen again. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const texts = [
  '',
  ' ',
  'IMAGE_URL',
  'x-IMAGE_URL',
  'x-IMAGE_DIGEST',
  'IMAGES',
  'ARTIFACT_OUTPUTS',
  '__proto__',
  'constructor',
  'toString',
  'uri',
  'digest',
  'true',
  'image',
  'url',
  'gcr.io/acme/app',
  `gcr.io/acme/app@${digest('a')}`,
  digest('b'),
  `${digest('c')},`,
  '\ud800',
  '\u0000\u001b[2J',
  '[::1]:5000/a',
  'a:@/@',
  '👩‍👩‍👧'.repeat(20),
  'x'.repeat(3_000),
];
const keys = [
  'results',
  'taskResults',
  'name',
  'value',
  'taskSpec',
  'resources',
  'outputs',
  'type',
  'key',
  'resourceName',
  'resourcesResult',
  'uri',
  'digest',
  'isBuildArtifact',
  '__proto__',
  'constructor',
];

const deepest = 4;

function garbage(random: (below: number) => number, depth: number): Json {
  const text = () => texts[random(texts.length)] ?? '';
  const some = <T>(one: () => T) => Array.from({ length: random(5) }, one);
  const hint = () => texts[2 + random(6)] ?? '';
  const image = () => texts[15 + random(4)] ?? '';
  const inner = () => garbage(random, depth - 1);
  const kinds: readonly (() => Json)[] = [
    text,
    text,
    () => random(1_000) / 3,
    () => random(2) === 0,
    () => null,
    () => some(inner),
    () => Object.fromEntries(some(() => [keys[random(keys.length)] ?? '', inner()])),
    // What nearly fits goes deeper than what doesn't fit at all.
    () => ({
      results: some(() => ({ name: hint(), value: random(4) === 0 ? inner() : image() })),
      resourcesResult: some(() => ({ resourceName: text(), key: text(), value: text() })),
      taskSpec: { resources: { outputs: some(() => ({ name: text(), type: 'image' })) } },
    }),
  ];
  const nearlyFits = depth === deepest && random(4) > 0;
  return kinds[nearlyFits ? 7 : random(depth > 0 ? kinds.length : 5)]?.() ?? null;
}

const oneLine = /^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]{1,600}$/u;

test('whatever a status holds: no crash, the run is listed, images are sound, messages are one short line', async () => {
  const { config } = parseConfig({});
  const simplesigning = await formats.simplesigning();
  let images = 0;
  let problemsSeen = 0;
  for (let seed = 0; seed < 3_000; seed++) {
    const run = taskRun(garbage(randomFrom(seed), deepest));
    const { artifacts, problems, unreadable } = extract(run);
    assert.equal(artifacts[0]?.kind, 'taskrun', `seed ${seed}`);
    assert.equal(new Set(artifacts.map(({ fullKey }) => fullKey)).size, artifacts.length, `seed ${seed}`);
    for (const artifact of artifacts.slice(1)) {
      images++;
      assert.match(artifact.key, /^[0-9a-f]{12}$/);
      assert.ok(
        JSON.parse(
          Buffer.from(
            simplesigning(artifact, { config, name: 'simplesigning', report: () => {} }).bytes,
          ).toString(),
        ),
        `seed ${seed}`,
      );
    }
    for (const { at, message } of problems) {
      problemsSeen++;
      assert.match(at, /^status[\w.[\]]*$/, `seed ${seed}`);
      assert.match(message, oneLine, `seed ${seed}`);
    }
    if (unreadable !== undefined) assert.match(unreadable.message, oneLine, `seed ${seed}`);
    assert.deepEqual(extract(run).problems, problems, `seed ${seed}: not the same twice`);
  }
  assert.ok(
    images > 100 && problemsSeen > 100,
    `${images} images, ${problemsSeen} problems: garbage too wild to tell`,
  );
});
