import assert from 'node:assert/strict';
import { test } from 'node:test';
import { identityJudge } from '../../src/sigstore/identity-policy.ts';

const issuer = { certificateOidcIssuer: 'https://issuer' };
const of = (subject: string) => ({ subject, issuer: 'https://issuer' });

test('an identity must be the whole name, exactly or by the expression', () => {
  const exact = identityJudge({ ...issuer, certificateIdentity: 'a@example.com' });
  assert.equal(exact(of('a@example.com')), undefined);
  assert.equal(exact(of('aa@example.com')), 'the certificate names "aa@example.com"');
  const expression = identityJudge({ ...issuer, certificateIdentityRegexp: '(?i)[ab]@example\\.com' });
  assert.equal(expression(of('B@example.com')), undefined);
  assert.ok(expression(of('ab@example.com')));
  assert.ok(expression(of('a@example.com\n')));
  assert.equal(
    exact({ subject: 'a@example.com', issuer: 'https://other' }),
    'the certificate names the issuer "https://other"',
  );
});

test('an expression of exponential cost for others takes no time', () => {
  const judge = identityJudge({ ...issuer, certificateIdentityRegexp: '(a+)+b' });
  assert.ok(judge(of('a'.repeat(50_000))));
});

for (const [what, policy, message] of [
  ['no issuer', { certificateIdentity: 'a' }, /--certificate-oidc-issuer/],
  ['no identity', issuer, /--certificate-identity/],
  ['both forms', { ...issuer, certificateIdentity: 'a', certificateIdentityRegexp: 'a' }, /either/],
  ['an empty identity', { ...issuer, certificateIdentity: '' }, /empty/],
  ['no expression', { ...issuer, certificateIdentityRegexp: '(' }, /not a regular expression/],
  ['what Go has not', { ...issuer, certificateIdentityRegexp: '(a)\\1' }, /not a regular expression/],
] as const) {
  test(`an identity is asked for in full: ${what}`, () => {
    assert.throws(() => identityJudge(policy), { code: 'USAGE', message });
  });
}
