import assert from 'node:assert/strict';
import { test } from 'node:test';
import { messageOf } from '../src/decide/marking.ts';
import { ChainsError, reasonOf } from '../src/errors.ts';
import { collectProblems } from '../src/model/problem.ts';
import { failedAnswer } from '../src/registry/failures.ts';
import { plainText } from '../src/telemetry/text.ts';
import { oneLine, quote, visible, withoutTrailing } from '../src/text.ts';

/** Controls, a terminal's escape, bidi controls, zero width, separators of lines, tags and half a character. */
const unseen =
  '\u0000\u0007\u001b\u007f\u0085\u009b\u00ad\u061c\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff\u{e0041}\ud800';
const hostile = `a\n${[...unseen].join('b')}\tc`;
const long = 'x'.repeat(1_000_000);

function problemOf(text: string): string {
  const problems = collectProblems();
  problems.report(text, text);
  const [problem] = problems.all();
  return `${problem?.at}${problem?.message}`;
}

/** The text of a registry's error, as a message shows it. */
function registryWords(message: string): string {
  const json = { errors: [{ code: 'DENIED', message }] };
  return failedAnswer('GET', { status: 403, json, header: () => [] }).message;
}

const ways: Readonly<Record<string, (text: string) => string>> = {
  'an error': (text) => new ChainsError('USAGE', text, { hint: text }).message,
  'its hint': (text) => new ChainsError('USAGE', '', { hint: text }).hint ?? '',
  'the reason of any error': (text) => reasonOf(new Error(text)),
  'a problem': problemOf,
  'a quotation': quote,
  "a run's message": (text) => messageOf([text, text]),
  'a line of a log': (text) => plainText(text),
  "a registry's words": registryWords,
};

for (const [name, way] of Object.entries(ways)) {
  test(`${name} is one visible line`, () => {
    assert.doesNotMatch(way(hostile), /[\p{C}\p{Zl}\p{Zp}]/u);
    assert.match(way(`say \u202ethis\u001b[2J`), /say \\u\{202e\}this\\u\{1b\}\[2J/);
  });

  test(`${name} has a limited length`, () => {
    assert.ok(way(long).length <= 8_100);
    assert.ok(way(unseen.repeat(50_000)).length <= 8_100);
  });
}

test('what can be seen stays as it is', () => {
  assert.equal(visible('é 漢字 😀 "quoted" – ok'), 'é 漢字 😀 "quoted" – ok');
  assert.equal(visible('\ufeffa'), '\\u{feff}a');
});

test('blanks and line breaks become one blank', () => {
  assert.equal(oneLine('  a\r\n\t b\u2028c\u00a0d  '), 'a b c d');
});

test('only the endings at the end are taken off', () => {
  assert.equal(withoutTrailing('//a//b///', '/'), '//a//b');
  assert.equal(withoutTrailing('10000', '000'), '10');
  assert.equal(withoutTrailing('///', '/'), '');
});

test('a quoted text is one line: control, direction and line characters, lone surrogates and quotes are escaped', () => {
  assert.equal(quote('a\n\u001b[31m\u202e\u2028"\\'), '"a\\u{a}\\u{1b}[31m\\u{202e}\\u{2028}\\"\\\\"');
  assert.equal(quote('\ud800é😀'), '"\\u{d800}é😀"');
});

test('a long text is cut and its length is given', () => {
  assert.equal(quote('x'.repeat(1_000)), `"${'x'.repeat(80)}…" (1000 characters)`);
});
