import assert from 'node:assert/strict';
import { constants, createPublicKey, verify } from 'node:crypto';
import { after, afterEach, before, describe, it } from 'node:test';
import { inspect } from 'node:util';
import { parseConfig } from '../../../src/config/parse.ts';
import type { Signature } from '../../../src/model/signature.ts';
import { keyIdOf } from '../../../src/keys/key-id.ts';
import { keyServices, type KmsOptions } from '../../../src/sign/kms/index.ts';
import type { Signer } from '../../../src/sign/index.ts';
import { openPipeline } from '../../../src/pipeline.ts';
import { readPublicKey } from '../../../src/verify/public-key.ts';
import type { Kind, Lie } from '../../doubles/keys.ts';
import type { Answer, Service } from '../../doubles/service.ts';
import { secretsWith } from '../keys.ts';

/** A kind of key that a KMS keeps, and how it signs there. */
export interface SigningKind {
  readonly kind: Kind;
  readonly pss?: boolean;
  readonly digest: 'sha256' | 'sha384' | 'sha512' | null;
}

/** A KMS that the suite tries: a double, or a real one. */
export interface KmsUnderTest {
  /** Makes a key and gives the reference to it. */
  create(kind: Kind, pss?: boolean): Promise<string>;
  /** Opens the signer `kms` with a credential that may read keys and sign. */
  open(reference: string, options?: KmsOptions): Promise<Signer>;
  /** Opens it with a credential that the KMS doesn't know. */
  openAsStranger(reference: string): Promise<Signer>;
  /** Opens it with one that may read keys, but not sign. */
  openAsReader(reference: string): Promise<Signer>;
  /** Makes another version, or another key behind the reference, the one that signs. */
  rotate(reference: string): Promise<void>;
  /** Disables the version that signs now, or enables it again. */
  enable?(reference: string, enabled: boolean): Promise<void>;
  /** What must be seen nowhere. */
  readonly secrets: readonly string[];
  /** The keys of the ConfigMap with which the credential of `open` is used, where the environment doesn't hold it. */
  readonly settings: Readonly<Record<string, string>>;
  /** The server behind a double, so that things can go wrong there. */
  readonly service?: Service;
  close(): Promise<void>;
}

/** What the suite must know about a KMS before it starts it. */
export interface KmsRow {
  readonly name: string;
  readonly kinds: readonly SigningKind[];
  /** Kinds that the KMS keeps and we don't take. */
  readonly refused: readonly Kind[];
  /** What a double answers when there are too many calls. */
  readonly throttled?: Answer;
  /** What a double's checksums can be wrong in. */
  readonly checksums?: readonly string[];
  /** Whether the service can disable a version. */
  readonly disables?: boolean;
  /** Verifies a signature with a program that isn't ours. */
  readonly judge?: (message: Uint8Array, signature: Signature, how: SigningKind) => Promise<void>;
  start(): Promise<KmsUnderTest>;
}

const message = Buffer.from('{"predicateType":"https://slsa.dev/provenance/v1"}');
const lies: readonly Lie[] = ['by another key', 'with a flipped bit', 'of another message', 'empty'];

/** Verifies with node alone, in exactly one way. */
export function holds({ bytes, key }: Signature, { digest, pss }: SigningKind): boolean {
  const padding = pss ? { padding: constants.RSA_PKCS1_PSS_PADDING } : {};
  return verify(digest, message, { key: createPublicKey(key.publicKey), ...padding }, bytes);
}

/** What every KMS must do. */
export function kmsSuite(row: KmsRow): void {
  const [first = { kind: 'P-256', digest: 'sha256' }] = row.kinds;

  describe(row.name, () => {
    let kms: KmsUnderTest;
    let closing: Signer[] = [];
    before(async () => {
      kms = await row.start();
    });
    after(async () => {
      for (const signer of closing) await signer.close?.();
      await kms.close();
    });

    afterEach(() => {
      const trouble = kms.service?.trouble;
      if (trouble !== undefined) {
        Object.assign(trouble, {
          answer: undefined,
          lie: undefined,
          checksum: undefined,
          hang: false,
          delay: 0,
        });
      }
    });

    async function open(reference: string, options?: KmsOptions): Promise<Signer> {
      const signer = await kms.open(reference, options);
      closing = [...closing, signer];
      return signer;
    }

    for (const how of row.kinds) {
      const name = `${how.kind}${how.pss ? ' with PSS' : ''}`;
      it(`signs with a key of the kind ${name}: ${how.digest ?? 'the message itself'}`, async () => {
        const signer = await open(await kms.create(how.kind, how.pss));
        const signature = await signer.sign(message);
        assert.ok(holds(signature, how));
        assert.equal(signature.key.keyId, keyIdOf(createPublicKey(signature.key.publicKey)));
        const key = await readPublicKey(signature.key.publicKey);
        assert.equal(await key.check(message, signature.bytes), undefined);
        await row.judge?.(message, signature, how);
      });
    }

    for (const kind of row.refused) {
      it(`refuses a key of the kind ${kind}, and says which are taken`, async () => {
        await assert.rejects(open(await kms.create(kind)), {
          code: 'KMS_REFUSED',
          message: /P-256|EC_SIGN_P256/,
        });
      });
    }

    it('says that there is no such key', async () => {
      const reference = (await kms.create(first.kind)).replace(/key-\d+/, 'nothing');
      await assert.rejects(open(reference), { code: 'KMS_REFUSED' });
    });

    it('refuses a credential that the KMS does not know', async () => {
      await assert.rejects(kms.openAsStranger(await kms.create(first.kind)), { code: 'KMS_REFUSED' });
    });

    it('refuses a credential that may read the key, but not sign', async () => {
      const signer = await kms.openAsReader(await kms.create(first.kind));
      closing = [...closing, signer];
      await assert.rejects(signer.sign(message), { code: 'KMS_REFUSED' });
    });

    it('shows no credential in its errors, however deep one looks', async () => {
      const reference = await kms.create(first.kind);
      const reader = await kms.openAsReader(reference);
      closing = [...closing, reader];
      const errors = await Promise.allSettled([kms.openAsStranger(reference), reader.sign(message)]);
      const text = inspect(errors, { depth: null, showHidden: true });
      assert.match(text, /KMS_REFUSED/);
      assert.ok(kms.secrets.length > 0 && !kms.secrets.some((secret) => text.includes(secret)));
    });

    it("notices that another version of the key signs, and names that one's public key", async () => {
      const reference = await kms.create(first.kind);
      const signer = await open(reference, { refresh: 0 });
      const one = await signer.sign(message);
      await kms.rotate(reference);
      const two = await signer.sign(message);
      assert.ok(holds(one, first) && holds(two, first));
      assert.notEqual(one.key.publicKey, two.key.publicKey);
      assert.notEqual(one.key.keyId, two.key.keyId);
    });

    it('signs ten messages at once', async () => {
      const signer = await open(await kms.create(first.kind));
      const signatures = await Promise.all(Array.from({ length: 10 }, () => signer.sign(message)));
      assert.ok(signatures.every((signature) => holds(signature, first)));
    });

    it('is refused when it asks for a signature of what is not a digest', async () => {
      const reference = await kms.create('RSA 2048');
      const { config } = parseConfig({ 'signers.kms.kmsref': reference, ...kms.settings });
      const parsed = config['signers.kms.kmsref'] ?? assert.fail(reference);
      const openService = await keyServices[parsed.scheme]();
      const service = await openService({ reference: parsed, config, environment: {} });
      const key = await service.keyVersion(AbortSignal.timeout(5_000));
      // Vault says 500.
      await assert.rejects(
        service.sign(Buffer.alloc(20), key, AbortSignal.timeout(5_000)),
        ({ status }) => status >= 400,
      );
      await service.close?.();
    });

    it('heeds a signal that is aborted', async () => {
      const signer = await open(await kms.create(first.kind));
      await assert.rejects(signer.sign(message, { signal: AbortSignal.abort() }), { name: 'AbortError' });
    });

    const { throttled, disables } = row;
    if (disables) {
      it('refuses to sign with a version that is disabled', async () => {
        const reference = await kms.create(first.kind);
        const signer = await open(reference);
        await kms.enable?.(reference, false);
        await assert.rejects(signer.sign(message), { code: 'KMS_REFUSED' });
        await kms.enable?.(reference, true);
        assert.ok(holds(await signer.sign(message), first));
      });
    }
    if (throttled !== undefined) troubles(throttled);

    function troubles(throttling: Answer): void {
      const service = (): Service => {
        assert.ok(kms.service);
        return kms.service;
      };
      const answers: Readonly<Record<string, Answer>> = {
        'throttles us': throttling,
        'says that it is unavailable': { status: 503, json: {} },
        'breaks down': { status: 500, json: {} },
        'is behind a proxy that answers with a page': { status: 502, text: '<html>' },
        'answers with nonsense': { status: 200, text: '{"' },
        'answers with an empty object': { status: 200, json: {} },
      };
      for (const [what, give] of Object.entries(answers)) {
        it(`may be tried again when it ${what}`, async () => {
          const signer = await open(await kms.create(first.kind));
          service().trouble.answer = { give, times: Number.POSITIVE_INFINITY };
          await assert.rejects(signer.sign(message), { code: 'KMS_UNAVAILABLE' });
          service().trouble.answer = undefined;
          assert.ok(holds(await signer.sign(message), first));
        });
      }

      for (const lie of lies) {
        it(`never gives a signature ${lie}`, async () => {
          const signer = await open(await kms.create(first.kind));
          service().trouble.lie = lie;
          await assert.rejects(signer.sign(message), ({ code }) =>
            ['SIGNATURE_INVALID', 'KMS_UNAVAILABLE'].includes(code),
          );
          service().trouble.lie = undefined;
          assert.ok(holds(await signer.sign(message), first));
        });
      }

      for (const checksum of row.checksums ?? []) {
        it(`throws an answer away whose ${checksum} does not match`, async () => {
          const signer = await open(await kms.create(first.kind), { refresh: 0 });
          service().trouble.checksum = checksum;
          await assert.rejects(signer.sign(message), { code: 'KMS_UNAVAILABLE', message: /damaged/ });
          service().trouble.checksum = undefined;
          assert.ok(holds(await signer.sign(message), first));
        });
      }

      it('waits for an answer only so long, and works again when there is one', async () => {
        const reference = await kms.create(first.kind);
        service().trouble.hang = true;
        const slow = { code: 'KMS_UNAVAILABLE', message: /no answer within 1 s/ };
        await assert.rejects(open(reference, { timeout: 1_000 }), slow);
        service().trouble.hang = false;
        const signer = await open(reference, { timeout: 1_000 });
        service().trouble.hang = true;
        await assert.rejects(signer.sign(message), slow);
        service().trouble.hang = false;
        assert.ok(holds(await signer.sign(message), first));
      });

      it('makes one connection and fetches one key for ten who open it at once while it is slow', async () => {
        const reference = await kms.create(first.kind);
        const { connections, requests, trouble } = service();
        trouble.delay = 100;
        const reads = async (opening: () => Promise<unknown>): Promise<readonly [number, number]> => {
          const before = [connections(), requests.length] as const;
          await opening();
          return [connections() - before[0], requests.length - before[1]];
        };
        const { config } = parseConfig({
          'signers.kms.kmsref': reference,
          'artifacts.taskrun.signer': 'kms',
          'artifacts.oci.signer': 'kms',
          'artifacts.oci.storage': 'tekton',
          ...kms.settings,
        });
        const openAll = async (times: number): Promise<void> => {
          const pipeline = openPipeline({ config, secrets: secretsWith({}) });
          const opened = Array.from({ length: times }, () => pipeline.check(['taskrun', 'oci']));
          const errors = (await Promise.all(opened)).flat().map(({ error }) => error);
          await pipeline.close();
          assert.deepEqual(errors.filter(Boolean), []);
        };
        const one = await reads(() => openAll(1));
        const ten = await reads(() => openAll(10));
        assert.deepEqual(ten, one);
        assert.equal(ten[0], 1);
      });
    }
  });
}
