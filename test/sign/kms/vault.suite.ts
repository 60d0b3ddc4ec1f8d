import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { parseConfig } from '../../../src/config/parse.ts';
import type { Signer } from '../../../src/sign/index.ts';
import { type KmsOptions, openKms } from '../../../src/sign/kms/index.ts';
import type { Kind } from '../../doubles/keys.ts';
import type { Service } from '../../doubles/service.ts';
import { startSpireAgent } from '../../doubles/spire-agent.ts';
import { folder } from '../../kubernetes/servers.ts';
import type { KmsUnderTest, SigningKind } from './kms.suite.ts';

/** A Vault with the transit engine, the policies `signer` and `reader`, and the auth method `jwt`. */
export interface VaultUnderTest {
  readonly address: string;
  readonly service?: Service;
  createKey(name: string, kind: Kind): Promise<void>;
  rotate(name: string): Promise<void>;
  /** @param ttl in seconds; 0 is endless */
  createToken(policy: 'signer' | 'reader', ttl?: number, renewable?: boolean): Promise<string>;
  revoke(token: string): Promise<void>;
  /** Trusts JWTs of this key (PEM) with the audience `vault` and the subject `chains`, for the role `chains`. */
  trustJwts(publicKey: string, options: { ttl: number; maxTtl?: number }): Promise<void>;
  /** Lets nothing through to the transit engine for a while, because of too many calls. */
  throttle(on: boolean): Promise<void>;
  seal(): Promise<void>;
  unseal(): Promise<void>;
  /** Ends it, and breaks its connections. */
  stop(): Promise<void>;
  /** Starts it again at the same address, with the same data, unsealed. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** Every kind of key that transit signs with. */
export const transitKinds: readonly SigningKind[] = [
  { kind: 'P-256', digest: 'sha256' },
  { kind: 'P-384', digest: 'sha256' },
  { kind: 'P-521', digest: 'sha256' },
  { kind: 'RSA 2048', digest: 'sha256' },
  { kind: 'RSA 3072', digest: 'sha256' },
  { kind: 'RSA 4096', digest: 'sha256' },
  { kind: 'RSA 2048', pss: true, digest: 'sha256' },
  { kind: 'Ed25519', digest: null },
];

const message = Buffer.from('message');
let keys = 0;

/** Opens the signer with settings of `signers.kms.auth` and an environment. */
export function openWith(
  reference: string,
  settings: Readonly<Record<string, string>>,
  { environment = {}, ...options }: KmsOptions = {},
): Promise<Signer> {
  const auth = Object.entries(settings).map(([name, value]) => [`signers.kms.auth.${name}`, value]);
  const { config } = parseConfig({ 'signers.kms.kmsref': reference, ...Object.fromEntries(auth) });
  return openKms(config, { environment, ...options });
}

/** A Vault as a row of the suite of all KMSs. */
export async function vaultAsKms(
  scheme: 'hashivault' | 'openbao',
  vault: VaultUnderTest,
): Promise<KmsUnderTest> {
  const tokens = {
    signer: await vault.createToken('signer'),
    reader: await vault.createToken('reader'),
  };
  const open = (reference: string, token: string, options?: KmsOptions) =>
    openWith(reference, { address: vault.address, token }, options);
  return {
    secrets: ['hvs.nobody', ...Object.values(tokens)],
    settings: { 'signers.kms.auth.address': vault.address, 'signers.kms.auth.token': tokens.signer },
    ...(vault.service === undefined ? {} : { service: vault.service }),
    async create(kind, pss) {
      keys += 1;
      await vault.createKey(`key-${keys}`, kind);
      return `${scheme}://key-${keys}${pss ? '?padding=pss' : ''}`;
    },
    open: (reference, options) => open(reference, tokens.signer, options),
    openAsStranger: (reference) => open(reference, 'hvs.nobody'),
    openAsReader: (reference) => open(reference, tokens.reader),
    rotate: (reference) => vault.rotate(reference.replace(/^\w+:\/\//, '')),
    close: () => vault.close(),
  };
}

/** The ways into a Vault, and what becomes of tokens. */
export function vaultSuite(name: string, start: () => Promise<VaultUnderTest>): void {
  describe(`${name}: the ways in`, () => {
    const issuer = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    let vault: VaultUnderTest;
    before(async () => {
      vault = await start();
      await vault.createKey('chains', 'P-256');
    });
    after(() => vault.close());

    async function open(
      test: TestContext,
      settings: Readonly<Record<string, string>>,
      environment: NodeJS.ProcessEnv = {},
      reference = 'hashivault://chains',
    ): Promise<Signer> {
      const signer = await openWith(reference, settings, { environment });
      test.after(() => signer.close?.());
      return signer;
    }

    const jwt = (claims: Readonly<Record<string, unknown>>): string => {
      const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
      const now = Math.floor(Date.now() / 1_000);
      const body = { iss: 'tests', sub: 'chains', aud: 'vault', iat: now, exp: now + 300, ...claims };
      const signed = `${encode({ alg: 'ES256', typ: 'JWT' })}.${encode(body)}`;
      const key = { key: issuer.privateKey, dsaEncoding: 'ieee-p1363' } as const;
      return `${signed}.${sign('sha256', Buffer.from(signed), key).toString('base64url')}`;
    };
    const trust = (ttl: number, maxTtl?: number) =>
      vault.trustJwts(issuer.publicKey.export({ format: 'pem', type: 'spki' }).toString(), {
        ttl,
        ...(maxTtl === undefined ? {} : { maxTtl }),
      });
    const writeJwt = async (test: TestContext, claims: Readonly<Record<string, unknown>> = {}) => {
      const file = join(await folder(test), 'token');
      await writeFile(file, jwt(claims));
      return file;
    };

    it("takes address and token from the environment, OpenBao's names for openbao", async (test) => {
      const token = await vault.createToken('signer');
      const { address } = vault;
      const other = { VAULT_ADDR: 'http://127.0.0.1:1', VAULT_TOKEN: 'hvs.other' };
      await (await open(test, {}, { VAULT_ADDR: address, VAULT_TOKEN: token })).sign(message);
      const bao = { ...other, BAO_ADDR: address, BAO_TOKEN: token };
      await (await open(test, {}, bao, 'openbao://chains')).sign(message);
    });

    it('takes the token from ~/.vault-token when nothing else names one', async (test) => {
      const home = await folder(test);
      await assert.rejects(open(test, { address: vault.address }, { HOME: home }), {
        code: 'KMS_REFUSED',
        message: /\.vault-token.*signers\.kms\.auth\.token-path/,
      });
      await writeFile(join(home, '.vault-token'), `${await vault.createToken('signer')}\n`);
      await (await open(test, { address: vault.address }, { HOME: home })).sign(message);
    });

    it("reads the token's file again when it changes; it goes before the token in the configuration", async (test) => {
      const file = join(await folder(test), 'token');
      const first = await vault.createToken('signer');
      await writeFile(file, first);
      const signer = await open(test, { address: vault.address, token: 'hvs.other', 'token-path': file });
      await signer.sign(message);
      await vault.revoke(first);
      await assert.rejects(signer.sign(message), { code: 'KMS_REFUSED' });
      await writeFile(file, await vault.createToken('signer'));
      await signer.sign(message);
    });

    it('logs in with a JWT, again when its token was revoked, and reads the JWT again', async (test) => {
      await trust(600);
      const file = await writeJwt(test);
      const oidc = { address: vault.address, 'oidc.role': 'chains', 'oidc.token-path': file };
      const signer = await open(test, { ...oidc, 'oidc.path': 'jwt' });
      await signer.sign(message);
      await (await open(test, oidc)).sign(message);
      await writeFile(file, jwt({ aud: 'elsewhere' }));
      await assert.rejects(open(test, oidc), { code: 'KMS_REFUSED', message: /log in to Vault/ });
      await signer.sign(message);
    });

    it('logs in with a JWT-SVID from the SPIFFE Workload API', async (test) => {
      await trust(600);
      const socket = join(await folder(test), 'agent.sock');
      let identity: string | undefined = jwt({});
      const agent = await startSpireAgent(socket, () => identity);
      test.after(() => agent.close());
      const spire = { address: vault.address, 'oidc.role': 'chains', 'spire.audience': 'vault' };
      for (const address of [socket, `unix://${socket}`]) {
        await (await open(test, { ...spire, 'spire.sock': address })).sign(message);
      }
      assert.deepEqual(agent.audiences, ['vault', 'vault']);
      identity = undefined;
      await assert.rejects(open(test, { ...spire, 'spire.sock': socket }), {
        code: 'KMS_REFUSED',
        message: /gRPC status 7 no identity issued/,
      });
      await assert.rejects(open(test, { ...spire, 'spire.sock': '/nowhere.sock' }), {
        code: 'KMS_UNAVAILABLE',
        message: /\/nowhere\.sock/,
      });
    });

    it('refuses a JWT that has expired, without showing it', async (test) => {
      await trust(600);
      const file = await writeJwt(test, { iat: 1_000_000_000, nbf: 1_000_000_000, exp: 1_000_000_300 });
      const oidc = { address: vault.address, 'oidc.role': 'chains', 'oidc.token-path': file };
      await assert.rejects(open(test, oidc), ({ code, message: text }) => {
        assert.equal(code, 'KMS_REFUSED');
        return !text.includes('eyJ');
      });
    });

    it("continues signing when a login's token has ended, whether it could be renewed or not", async (test) => {
      const file = await writeJwt(test);
      const oidc = { address: vault.address, 'oidc.role': 'chains', 'oidc.token-path': file };
      await trust(2);
      const renewed = await open(test, oidc);
      await trust(2, 3);
      const signers = [renewed, await open(test, oidc)];
      for (let round = 0; round < 10; round += 1) {
        await Promise.all(signers.map((signer) => signer.sign(message)));
        await pause(500);
      }
    });

    it('renews a token that it was given before that ends', async (test) => {
      const token = await vault.createToken('signer', 2, true);
      const signer = await open(test, { address: vault.address, token });
      await pause(4_000);
      await signer.sign(message);
    });

    it('refuses a given token that has ended and could not be renewed', async (test) => {
      const token = await vault.createToken('signer', 1, false);
      const signer = await open(test, { address: vault.address, token });
      await pause(2_100);
      await assert.rejects(signer.sign(message), { code: 'KMS_REFUSED', message: /403/ });
    });

    it('may be tried again while Vault is sealed, and signs when it is unsealed', async (test) => {
      const token = await vault.createToken('signer');
      const signer = await open(test, { address: vault.address, token });
      await vault.seal();
      await assert.rejects(signer.sign(message), { code: 'KMS_UNAVAILABLE', message: /sealed/ });
      await assert.rejects(open(test, { address: vault.address, token }), { code: 'KMS_UNAVAILABLE' });
      await vault.unseal();
      await signer.sign(message);
    });

    it('may be tried again while Vault is not there, and signs when it has been started again', async (test) => {
      const token = await vault.createToken('signer');
      const signer = await open(test, { address: vault.address, token });
      await signer.sign(message);
      await vault.stop();
      await assert.rejects(signer.sign(message), { code: 'KMS_UNAVAILABLE', message: /no answer/ });
      await vault.restart();
      await signer.sign(message);
    });

    it('may be tried again when Vault limits the rate', async (test) => {
      const token = await vault.createToken('signer');
      const signer = await open(test, { address: vault.address, token });
      await vault.throttle(true);
      await assert.rejects(signer.sign(message), { code: 'KMS_UNAVAILABLE', status: 429 });
      await vault.throttle(false);
      await signer.sign(message);
    });

    it('names what is missing in the settings', async (test) => {
      const { address } = vault;
      for (const [settings, missing] of [
        [{}, /signers\.kms\.auth\.address.*VAULT_ADDR/],
        [{ address, 'oidc.path': 'jwt' }, /serviceaccount\/token/],
        [{ address, 'oidc.role': 'r', 'spire.sock': '/s' }, /signers\.kms\.auth\.spire\.audience/],
        [{ address, 'token-path': '/nowhere' }, /\/nowhere/],
      ] as const) {
        await assert.rejects(open(test, settings), { code: 'KMS_REFUSED', message: missing });
      }
    });
  });
}
