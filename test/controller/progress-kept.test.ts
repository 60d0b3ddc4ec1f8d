import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ProgressKept } from '../../src/controller/progress-kept.ts';
import type { TryProgress } from '../../src/model/outcome.ts';

/** A run with one artifact that a store has, whose payload has so many bytes. */
function progress(bytes: number): TryProgress {
  const key = { publicKey: '', keyId: '' };
  const payload = { bytes: Buffer.alloc(bytes), format: 'tekton' };
  const made = { payload, signature: { bytes: Buffer.alloc(0), key } };
  return { config: {}, uid: 'uid-1', entries: new Map([['a', { made, stored: new Set(['gcs']) }]]) };
}

describe('how far runs are', () => {
  it('is kept until they are through', () => {
    const kept = new ProgressKept();
    const one = progress(10);
    kept.keep('ci/a', one);
    assert.equal(kept.of('ci/a'), one);
    kept.forget('ci/a');
    assert.equal(kept.of('ci/a'), undefined);
  });

  it('takes no more room than it may: past that only the stores are remembered', () => {
    const kept = new ProgressKept(100);
    kept.keep('ci/a', progress(80));
    kept.keep('ci/b', progress(30));
    const entry = kept.of('ci/b')?.entries.get('a');
    assert.equal(entry?.made, undefined);
    assert.deepEqual([...(entry?.stored ?? [])], ['gcs']);
    kept.forget('ci/a');
    kept.keep('ci/b', progress(30));
    assert.notEqual(kept.of('ci/b')?.entries.get('a')?.made, undefined);
  });
});
