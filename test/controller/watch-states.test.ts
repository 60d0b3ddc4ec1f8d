import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WatchStates } from '../../src/controller/watch-states.ts';

const kind = 'TaskRun';

test('a kind is well when it is watched in every namespace, and not before', () => {
  const watches = new WatchStates([kind], ['a', 'b', 'c']);
  assert.equal(watches.of(kind), 'in a: it has not begun yet; and in 2 more namespaces');
  watches.set({ kind, namespace: 'a' }, undefined);
  watches.set({ kind, namespace: 'c' }, undefined);
  assert.equal(watches.of(kind), 'in b: it has not begun yet');
  watches.set({ kind, namespace: 'b' }, undefined);
  assert.equal(watches.of(kind), undefined);
});

test('the trouble of one namespace lasts, though another is well', () => {
  const watches = new WatchStates([kind], ['a', 'b']);
  watches.set({ kind, namespace: 'a' }, '403 Forbidden');
  watches.set({ kind, namespace: 'b' }, undefined);
  assert.equal(watches.of(kind), 'in a: 403 Forbidden');
});

test('without namespaces there is one watch for all', () => {
  const watches = new WatchStates([kind], []);
  assert.equal(watches.of(kind), 'it has not begun yet');
  watches.set({ kind, namespace: undefined }, undefined);
  assert.equal(watches.of(kind), undefined);
});
