import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Awaited } from '../../src/controller/family.ts';

describe('PipelineRuns that wait for TaskRuns', () => {
  it('are woken by the last one that ends, and by no other', () => {
    const awaited = new Awaited();
    awaited.expect('ci/p', ['ci/a', 'ci/b']);
    assert.equal(awaited.ended('ci/x'), undefined);
    assert.equal(awaited.ended('ci/a'), undefined);
    assert.equal(awaited.ended('ci/a'), undefined);
    assert.equal(awaited.ended('ci/b'), 'ci/p');
    assert.deepEqual(awaited.left('ci/p'), []);
  });

  it('wait for what they expected last', () => {
    const awaited = new Awaited();
    awaited.expect('ci/p', ['ci/a']);
    awaited.expect('ci/p', ['ci/b']);
    assert.equal(awaited.ended('ci/a'), undefined);
    assert.deepEqual(awaited.left('ci/p'), ['ci/b']);
  });

  it('are not woken once they are forgotten', () => {
    const awaited = new Awaited();
    awaited.expect('ci/p', ['ci/a']);
    awaited.forget('ci/p');
    assert.equal(awaited.ended('ci/a'), undefined);
  });
});
