import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChainsError } from '../../src/errors.ts';
import { readKeys } from '../../src/verify/public-key.ts';
import { verifyRun } from '../../src/verify/run.ts';
import { taskRun } from '../runs.ts';
import { keyPairs, spki } from '../sign/keys.ts';

/** A self-signed Ed25519 certificate, and what its key made of the payload `{}` (openssl pkeyutl -sign -rawin). */
const certificate = `-----BEGIN CERTIFICATE-----
MIIBQjCB9aADAgECAhRKK0xeuOEy/co2pd6bp0zDoWby0zAFBgMrZXAwFjEUMBIG
A1UEAwwLY2hhaW5zLXRlc3QwIBcNMjYxMTI0MDUwMDE3WhgPMjEyNjEwMzEwNTAw
MTdaMBYxFDASBgNVBAMMC2NoYWlucy10ZXN0MCowBQYDK2VwAyEAVujLJMWEnZyL
Ea1AkeUnX4D6oY8D0XGADe3fneMeTHujUzBRMB0GA1UdDgQWBBSiCa2Kazxi2ZiJ
RItO1alVPYs3rTAfBgNVHSMEGDAWgBSiCa2Kazxi2ZiJRItO1alVPYs3rTAPBgNV
HRMBAf8EBTADAQH/MAUGAytlcANBAP8dL4zg2q1hEdHQbcVFoXCnByRig/qjhE+A
48fQJ/kVhuVS5/omxZk7kcsLB3TO6Xtox17KHLsw49EP7NmHGwM=
-----END CERTIFICATE-----`;
const signatureOfNothing =
  'mPUXcPxnJi25rH9XIWYvGed8olPUdg2ZJI0GFHXMv+FP1QpoHPTf6E/ievDvCXvYQVlO6gO2j65+kZzKLnbfAg==';

const run = taskRun(
  {},
  {
    annotations: {
      'chains.tekton.dev/payload-taskrun': btoa('{}'),
      'chains.tekton.dev/signature-taskrun': signatureOfNothing,
      'chains.tekton.dev/signed-uid': 'uid-1',
    },
  },
);

/** Why the run isn't verified with a key; undefined where it is. */
async function whyNot(key: string): Promise<string | undefined> {
  const { verified, checks } = await verifyRun(run, { keys: await readKeys([key]), expected: {} });
  return verified ? undefined : checks.find(({ ok }) => !ok)?.reason;
}

test('a certificate stands for its key, and what openssl signed verifies', async () => {
  assert.equal(await whyNot(certificate), undefined);
  const other = keyPairs['Ed25519']?.() ?? assert.fail();
  assert.match((await whyNot(spki(other.publicKey))) ?? '', /did not make this signature/);
});

for (const [now, reason] of [
  ['2127-01-01', /is in a certificate that expired on 2126-10-31/],
  ['2026-01-01', /is in a certificate valid from 2026-11-24/],
] as const) {
  test(`a certificate that is not in force proves nothing: in ${now}`, async (context) => {
    context.mock.timers.enable({ apis: ['Date'], now: Date.parse(now) });
    assert.match((await whyNot(certificate)) ?? '', reason);
  });
}

test('every changed byte of a self-signed certificate makes it vouch for nothing', async () => {
  const der = Buffer.from(certificate.replace(/-----[^-]+-----/g, ''), 'base64');
  // With another name it is one that somebody else issued, whose key nobody gave us.
  const issuer = der.indexOf('chains-test');
  const subject = der.indexOf('chains-test', issuer + 1);
  const isName = (index: number) =>
    [issuer, subject].some((start) => index >= start - 13 && index < start + 'chains-test'.length);
  for (const index of der.keys()) {
    if (isName(index)) continue;
    const changed = Buffer.from(der);
    changed[index] = (changed[index] ?? 0) ^ 1;
    const pem = `-----BEGIN CERTIFICATE-----\n${changed.toString('base64')}\n-----END CERTIFICATE-----\n`;
    const reason = await whyNot(pem).catch((error: unknown) => {
      if (error instanceof ChainsError && error.code === 'KEY_INVALID') return error.message;
      throw error;
    });
    assert.notEqual(reason, undefined, `byte ${index}`);
  }
});
