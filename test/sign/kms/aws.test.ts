import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startAwsKms } from '../../doubles/aws-kms.ts';
import { startTunnel } from '../../doubles/tunnel.ts';
import { authority, openWith } from './environment.ts';
import { type KmsUnderTest, kmsSuite } from './kms.suite.ts';

const message = Buffer.from('message');

// Nothing of the machine's own may be found, and no instance be asked for.
Object.assign(process.env, {
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_CONFIG_FILE: '/nowhere',
  AWS_SHARED_CREDENTIALS_FILE: '/nowhere',
});

const start = () => startAwsKms(authority.issue('kms', ['localhost', 'kms.eu-west-1.amazonaws.com']));

let aliases = 0;

async function startRow(): Promise<KmsUnderTest> {
  const kms = await start();
  const { signer, reader } = { signer: kms.createAccessKey('signer'), reader: kms.createAccessKey('reader') };
  Object.assign(process.env, signer, { AWS_REGION: kms.region });
  const aliasIn = (reference: string) => /alias\/[^?]+/.exec(reference)?.[0] ?? '';
  const keyOf = (reference: string) => kms.keys.get(kms.aliases.get(aliasIn(reference)) ?? '');
  return {
    service: kms,
    secrets: [signer, reader].map((key) => key.AWS_SECRET_ACCESS_KEY),
    settings: {},
    async create(kind, pss) {
      aliases += 1;
      kms.aliases.set(`alias/key-${aliases}`, kms.createKey(kind));
      return `awskms://localhost:${kms.port}/alias/key-${aliases}${pss ? '?padding=pss' : ''}`;
    },
    open: (reference, options) => openWith(reference, {}, options),
    openAsStranger: (reference) => openWith(reference, { AWS_SECRET_ACCESS_KEY: 'another' }),
    async enable(reference, enabled) {
      for (const version of keyOf(reference)?.versions ?? []) version.enabled = enabled;
    },
    openAsReader: (reference) => openWith(reference, reader),
    async rotate(reference) {
      kms.aliases.set(aliasIn(reference), kms.createKey(keyOf(reference)?.kind ?? 'P-256'));
    },
    close: () => kms.close(),
  };
}

kmsSuite({
  name: 'awskms',
  kinds: [
    { kind: 'P-256', digest: 'sha256' },
    { kind: 'P-384', digest: 'sha384' },
    { kind: 'P-521', digest: 'sha512' },
    { kind: 'RSA 2048', digest: 'sha256' },
    { kind: 'RSA 3072', digest: 'sha256' },
    { kind: 'RSA 4096', digest: 'sha256' },
    { kind: 'RSA 2048', digest: 'sha256', pss: true },
  ],
  refused: ['secp256k1'],
  throttled: {
    status: 400,
    json: { __type: 'ThrottlingException', message: 'Rate exceeded' },
    headers: { 'x-amzn-errortype': 'ThrottlingException' },
  },
  disables: true,
  start: startRow,
});

test("a key is named by ARN, whose region is used, by id or by alias, at the service's own address too", async (context) => {
  const kms = await start();
  const tunnel = await startTunnel({ 'kms.eu-west-1.amazonaws.com': kms.port });
  context.after(() => Promise.all([kms.close(), tunnel.close()]));
  const arn = kms.createKey('P-256');
  kms.aliases.set('alias/chains', arn);
  const environment = { HTTPS_PROXY: tunnel.url, NO_PROXY: 'localhost' };
  for (const [reference, region] of [
    [`awskms:///${arn}`, undefined],
    [`awskms:///${arn.replace(/^.*\//, '')}`, kms.region],
    ['awskms:///alias/chains', kms.region],
    [`awskms:///arn:aws:kms:${kms.region}:111122223333:alias/chains`, 'us-east-1'],
    [`awskms://localhost:${kms.port}/${arn}`, undefined],
  ] as const) {
    const variables = { ...kms.createAccessKey('signer'), AWS_REGION: region };
    const signer = await openWith(reference, variables, { environment });
    await signer.sign(message);
    await signer.close?.();
  }
});

test('a role is taken by web identity, and a token that nobody vouches for is refused', async (context) => {
  const kms = await start();
  const folder = await mkdtemp(join(tmpdir(), 'chains-aws-'));
  context.after(() => Promise.all([kms.close(), rm(folder, { recursive: true })]));
  const file = join(folder, 'token');
  const variables = {
    AWS_ACCESS_KEY_ID: undefined,
    AWS_SECRET_ACCESS_KEY: undefined,
    AWS_REGION: kms.region,
    AWS_ROLE_ARN: 'arn:aws:iam::111122223333:role/chains',
    AWS_WEB_IDENTITY_TOKEN_FILE: file,
    AWS_ENDPOINT_URL_STS: `http://127.0.0.1:${kms.sts.port}`,
  };
  const reference = `awskms://localhost:${kms.port}/${kms.createKey('P-256')}`;
  await writeFile(file, 'another');
  await assert.rejects(openWith(reference, variables), { code: 'KMS_REFUSED' });
  await writeFile(file, kms.identityToken);
  const signer = await openWith(reference, variables);
  await signer.sign(message);
  await signer.close?.();
});

test('what is missing or wrong is named: credentials, the region, a key for encryption', async (context) => {
  const kms = await start();
  context.after(() => kms.close());
  const host = `awskms://localhost:${kms.port}`;
  const [none, some] = [
    { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined },
    kms.createAccessKey('signer'),
  ];
  for (const [reference, variables, message] of [
    [`${host}/${kms.createKey('P-256')}`, none, /AWS_ACCESS_KEY_ID/],
    [`${host}/alias/x`, { ...some, AWS_REGION: undefined }, /AWS_REGION/],
    [`${host}/${kms.createKey('RSA 2048', 'ENCRYPT_DECRYPT')}`, some, /SIGN_VERIFY/],
  ] as const) {
    await assert.rejects(openWith(reference, variables), { code: 'KMS_REFUSED', message });
  }
});
