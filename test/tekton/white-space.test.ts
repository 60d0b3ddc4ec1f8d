import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trim } from '../../src/tekton/white-space.ts';

test("trimming is Go's: U+0085 and NBSP go, the byte order mark and a zero-width space stay", () => {
  assert.equal(trim('\u0085\u00a0 \t\r\nx y\u2028\u3000'), 'x y');
  assert.equal(trim('\ufeffx\u200b'), '\ufeffx\u200b');
  assert.equal(trim(' \n '), '');
});
