import assert from 'node:assert/strict';
import { verify } from 'node:crypto';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { stores } from '../../src/store/index.ts';
import { combinationsSuite } from './combinations.suite.ts';
import { allPlaces, places } from './combinations.ts';
import { openPlaces } from './open-places.ts';

type Opened = keyof typeof openPlaces;
const isOpened = (name: string): name is Opened => Object.hasOwn(openPlaces, name);

for (const name of Object.keys(places).filter(isOpened)) {
  combinationsSuite(name, openPlaces[name], ({ message, signature, publicKey }) => {
    assert.ok(verify('sha256', message, publicKey, signature));
    assert.ok(!verify('sha256', Buffer.concat([message, Buffer.from(' ')]), publicKey, signature));
  });
}

test('every store of the ConfigMap has a place in the table, and its tests are there', () => {
  const named = new Set(allPlaces.map(([, { settings }]) => settings['store']));
  assert.deepEqual(named, new Set(Object.keys(stores)));
  for (const path of allPlaces.flatMap(([, { tests }]) => tests))
    assert.ok(existsSync(new URL(`../../${path}`, import.meta.url)), path);
});
