import assert from 'node:assert/strict';
import { test } from 'node:test';
import { quote } from '../../src/extract/quote.ts';

test('a quoted text is one line: control, direction and line characters, lone surrogates and quotes are escaped', () => {
  assert.equal(quote('a\n\u001b[31m\u202e\u2028"\\'), '"a\\u{a}\\u{1b}[31m\\u{202e}\\u{2028}\\"\\\\"');
  assert.equal(quote('\ud800é😀'), '"\\u{d800}é😀"');
});

test('a long text is cut and its length told', () => {
  assert.equal(quote('x'.repeat(1_000)), `"${'x'.repeat(80)}…" (1000 characters)`);
});
