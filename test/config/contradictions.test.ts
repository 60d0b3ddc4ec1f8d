import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../src/config/parse.ts';

const logged = { 'transparency.enabled': 'true' };
const stamped = { 'transparency.tsa.url': 'https://tsa.example.com/api/v1/timestamp' };
const keyless = { 'signers.x509.fulcio.enabled': 'true' };
const pgp = { 'artifacts.taskrun.signer': 'pgp' };
const v2 = { 'transparency.api': 'v2' };

for (const [what, data, message] of [
  [
    'a log of v2 without timestamps',
    { ...logged, ...v2 },
    /transparency\.api is "v2".*transparency\.tsa\.url/,
  ],
  ['the same for runs that ask', { 'transparency.enabled': 'manual', ...v2 }, /transparency\.api is "v2"/],
  ['the same without a key', { ...logged, ...v2, ...keyless }, /transparency\.api is "v2"/],
  ['PGP with a log', { ...logged, ...pgp }, /artifacts\.taskrun\.signer is "pgp".*log does not take/],
  ['PGP with timestamps', { ...stamped, ...pgp }, /artifacts\.taskrun\.signer is "pgp".*timestamps/],
  [
    'another provider of tokens',
    { 'signers.x509.fulcio.provider': 'githubactions' },
    /did you mean "github-actions"/,
  ],
] as const) {
  test(`what can't work together is refused: ${what}`, () => {
    assert.throws(() => parseConfig(data), { code: 'CONFIG_INVALID', message });
  });
}

for (const [what, data] of [
  ['v2 while nothing is logged', v2],
  ['v2 with timestamps', { ...logged, ...v2, ...stamped }],
  ['PGP while runs may ask for the log', { ...pgp, 'transparency.enabled': 'manual' }],
  ['PGP of what is not stored', { ...logged, ...pgp, 'artifacts.taskrun.storage': '' }],
  ['a log without a key', { ...logged, ...keyless }],
] as const) {
  test(`what works together is taken without a word: ${what}`, () => {
    assert.deepEqual(parseConfig(data).warnings, []);
  });
}

test('signing without a key into stores that keep no certificates is taken with a warning', () => {
  const stored = { ...keyless, ...logged, 'artifacts.taskrun.storage': 'grafeas,archivista' };
  assert.match(
    parseConfig(stored).doubts.join(),
    /artifacts\.taskrun\.storage names only stores that keep no certificates/,
  );
  assert.deepEqual(parseConfig({ ...stored, 'artifacts.taskrun.storage': 'grafeas,gcs' }).doubts, []);
});

test('without a proof of time, signing without a key is taken with a warning', () => {
  for (const log of ['false', 'manual']) {
    const { doubts, warnings } = parseConfig({ ...keyless, 'transparency.enabled': log });
    assert.match(doubts.join(), /nothing proves that a signature was made while its certificate was valid/);
    assert.deepEqual(warnings, doubts);
    assert.deepEqual(parseConfig({ ...keyless, ...stamped, 'transparency.enabled': log }).doubts, []);
  }
});
