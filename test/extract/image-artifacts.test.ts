import assert from 'node:assert/strict';
import { test } from 'node:test';
import { extract } from '../../src/extract/index.ts';
import { storageKeyOf } from '../../src/model/artifact.ts';
import { digest, taskRunWith } from '../runs.ts';

const storageKeys = (images: readonly string[]) =>
  extract(taskRunWith([['IMAGES', images.join()]]))
    .artifacts.slice(1)
    .map(storageKeyOf);

const regions = ['gcr.io', 'eu.gcr.io', 'asia.gcr.io'].map((host) => `${host}/acme/app@${digest('a')}`);

test('of images with one digest the first is stored under 12 digits, each further one under a key of its own', () => {
  const [first, ...further] = storageKeys(regions);
  assert.equal(first, 'aaaaaaaaaaaa');
  for (const key of further) assert.match(key, /^aaaaaaaaaaaa-[0-9a-f]{32}$/);
  assert.equal(new Set(further).size, 2);
});

test('signing again gives the same keys, and a further image has its key wherever it is named', () => {
  assert.deepEqual(storageKeys(regions), storageKeys(regions));
  const [first = '', second = '', third = ''] = regions;
  assert.equal(storageKeys([first, second, third])[1], storageKeys([third, first, second])[2]);
});

test('digests that share their first 12 digits, which anyone who builds an image can bring about, are kept apart', () => {
  const other = `sha256:${'a'.repeat(12)}${'b'.repeat(52)}`;
  const keys = storageKeys([`gcr.io/acme/app@${digest('a')}`, `gcr.io/acme/app@${other}`]);
  assert.equal(keys[0], 'aaaaaaaaaaaa');
  assert.match(keys[1] ?? '', /^aaaaaaaaaaaa-[0-9a-f]{32}$/);
});

test('the suffix is what docs/storage.md computes with sha256sum', () => {
  const [, key] = storageKeys([`gcr.io/acme/app@${digest('a')}`, `eu.gcr.io/acme/app@${digest('a')}`]);
  assert.equal(key, 'aaaaaaaaaaaa-8d2b4e6dcac749ccfbb117bee08bda4e');
});

test('a key fits into the name of an annotation', () => {
  for (const key of storageKeys(regions)) {
    for (const part of ['payload', 'signature', 'cert', 'chain', 'evidence'])
      assert.match(`${part}-${key}`, /^(?=.{1,63}$)[A-Za-z0-9][\w.-]*[A-Za-z0-9]$/);
  }
});

test('the key that explain and the controller name stays the first 12 digits of each', () => {
  const { artifacts } = extract(taskRunWith([['IMAGES', regions.join()]]));
  assert.deepEqual(
    artifacts.slice(1).map(({ key }) => key),
    ['aaaaaaaaaaaa', 'aaaaaaaaaaaa', 'aaaaaaaaaaaa'],
  );
});
