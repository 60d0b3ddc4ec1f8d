import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { parseConfig } from '../../src/config/parse.ts';
import { runVerify } from '../../src/cli/commands/verify.ts';
import { transparencyMark } from '../../src/model/marks.ts';
import { parseRun } from '../../src/model/run.ts';
import { identityJudge } from '../../src/sigstore/identity-policy.ts';
import { parseTrustedRoot } from '../../src/sigstore/trusted-root.ts';
import type { EvidenceOptions } from '../../src/verify/evidence.ts';
import { exportBundles } from '../../src/verify/export.ts';
import { readPublicKey } from '../../src/verify/public-key.ts';
import { verifyStores } from '../../src/verify/stores.ts';
import { openGate } from '../doubles/gate.ts';
import type { DatabaseUnderTest } from '../store/docdb.suite.ts';
import { places } from '../store/combinations.ts';
import { openPlaces } from '../store/open-places.ts';
import type { GcsUnderTest } from '../store/gcs.suite.ts';
import { errorsOf, RepositoryView, type TestRegistry } from '../store/oci/world.ts';
import { startFakeGcs } from './gcs.ts';
import { startFerret } from './mongo.ts';
import { type Finished, outputOf, run } from './process.ts';
import { startReferrersRegistry } from './registries.ts';
import { transitKinds } from '../sign/kms/vault.suite.ts';
import { startRealVault } from './vault.ts';
import { builtRun, marked, type SigstoreWorld, startSigstoreWorld } from './sigstore-world.ts';
import { tool } from './tools.ts';

/** What is made with a private Sigstore, as cosign, openssl and our own verifier judge it. */
export function sigstoreJudgesSuite(): void {
  suite('with a private Sigstore', () => {
    let world: SigstoreWorld;
    let registry: TestRegistry;
    let gcs: GcsUnderTest;
    let database: DatabaseUnderTest;
    let app: RepositoryView;
    before(async () => {
      [world, registry, gcs, database] = await Promise.all([
        startSigstoreWorld(),
        startReferrersRegistry(),
        startFakeGcs(),
        startFerret(),
      ]);
      app = new RepositoryView(registry, 'acme/app');
      await writeFile(join(world.sigstore.folder, 'key.pub'), world.publicKey);
    });
    after(async () => {
      await world?.close();
      await registry?.close();
      await gcs?.close();
      await database?.close();
    });

    const evidence = (keyless: boolean, more: Partial<EvidenceOptions> = {}): EvidenceOptions => ({
      root: async () => parseTrustedRoot(world.trustedRoot, 'the trusted root'),
      isRootGiven: true,
      identity: keyless
        ? identityJudge({
            certificateIdentity: world.identity,
            certificateOidcIssuer: world.sigstore.issuer,
          })
        : undefined,
      requireLog: false,
      requireTimestamp: false,
      mayAsk: false,
      ...more,
    });
    const stores = ['tekton', 'gcs', 'docdb', 'oci'] as const;
    const everywhere = () => ({
      'artifacts.taskrun.storage': stores.join(),
      'artifacts.oci.storage': stores.join(),
      'storage.gcs.bucket': 'chains',
      ...database.settings,
    });

    for (const keyless of [true, false]) {
      for (const log of ['no log', 'v1', 'v2'] as const) {
        for (const stamped of [true, false]) {
          for (const format of ['in-toto', 'slsa/v2alpha4', 'tekton']) {
            for (const encoding of ['dsse', 'sigstore-bundle']) {
              const name = [
                keyless ? 'a short-lived key' : 'a key of our own',
                log,
                stamped ? 'a timestamp' : 'no timestamp',
                format,
                encoding,
              ].join(', ');
              test(`works in every store, or is refused with its reason: ${name}`, async () => {
                const data = {
                  ...everywhere(),
                  ...(keyless ? world.keyless : {}),
                  ...(log === 'no log' ? {} : world.log(log)),
                  ...(stamped ? world.timestamps : {}),
                  'artifacts.taskrun.format': format,
                  'storage.oci.encoding-format': encoding,
                };
                if (log === 'v2' && !stamped) {
                  assert.throws(() => parseConfig(data), {
                    message: /prove no time: set transparency\.tsa\.url/,
                  });
                  return;
                }
                const isUnproven = keyless && log === 'no log' && !stamped;
                assert.equal(parseConfig(data).doubts.length, isUnproven ? 1 : 0);
                const image = await app.pushImage(name);
                const pipeline = world.open(data);
                const taskRun = builtRun(image);
                const outcome = await pipeline.process(parseRun(taskRun));
                await pipeline.close();
                assert.deepEqual(errorsOf(outcome), []);
                assert.deepEqual(outcome.problems, []);
                for (const store of stores) {
                  // An attestation under a tag has no room for an entry of version 2.
                  const isTagged = store === 'oci' && (encoding === 'dsse' || format === 'tekton');
                  const { verification } = await verifyStores(
                    { run: marked(taskRun, outcome), taskRuns: [] },
                    {
                      keys: keyless ? [] : [await readPublicKey(world.publicKey)],
                      expected: {},
                      config: parseConfig(data).config,
                      stores: [store],
                      strict: true,
                      evidence: evidence(keyless, {
                        requireLog: log === 'v1' || (log === 'v2' && !isTagged),
                        requireTimestamp: stamped,
                      }),
                    },
                  );
                  const wrong = verification.checks.filter(({ ok }) => !ok);
                  if (isUnproven) {
                    assert.ok(
                      wrong.every(({ reason }) => reason === 'nothing proves when the certificate was used'),
                    );
                    assert.ok(wrong.length > 0);
                  } else assert.deepEqual(wrong, [], store);
                }
              });
            }
          }
        }
      }
    }

    const cosign = (version: 'cosign 2' | 'cosign 3', args: readonly string[]): Promise<Finished> =>
      run(tool(version), args, {
        cwd: world.sigstore.folder,
        environment: {
          PATH: process.env['PATH'],
          HOME: world.sigstore.folder,
          SIGSTORE_ROOT_FILE: 'fulcio.pem',
          SIGSTORE_REKOR_PUBLIC_KEY: 'rekor1.pub',
          SIGSTORE_CT_LOG_PUBLIC_KEY_FILE: 'ctfe.pub',
        },
      });
    const named = (keyless: boolean, identity = world.identity, issuer = world.sigstore.issuer) =>
      keyless
        ? ['--certificate-identity', identity, '--certificate-oidc-issuer', issuer]
        : ['--key', 'key.pub'];
    /** How each version is told whom to trust. */
    const trusting = (version: 'cosign 2' | 'cosign 3') =>
      version === 'cosign 3'
        ? ['--trusted-root', 'trusted_root.json']
        : ['--timestamp-certificate-chain', 'tsa.pem', '--rekor-url', world.sigstore.rekorV1, '--offline'];
    const commands = [['verify'], ['verify-attestation', '--type', 'slsaprovenance1']];

    for (const keyless of [true, false]) {
      for (const api of ['v1', 'v2'] as const) {
        const signed = async (encoding: string): Promise<string> => {
          const image = await app.pushImage(`${keyless} ${api} ${encoding} for cosign`);
          const pipeline = world.open({
            ...(keyless ? world.keyless : {}),
            ...world.log(api),
            ...world.timestamps,
            'artifacts.taskrun.format': 'slsa/v2alpha4',
            'artifacts.taskrun.storage': 'oci',
            'storage.oci.encoding-format': encoding,
          });
          assert.deepEqual(errorsOf(await pipeline.process(parseRun(builtRun(image)))), []);
          await pipeline.close();
          return image;
        };
        const by = keyless ? 'without a key of our own' : 'with a key of our own';

        for (const version of ['cosign 2', 'cosign 3'] as const) {
          test(`${version} verifies tags with the evidence there, ${by}, of a log of ${api}`, async () => {
            const image = await signed('dsse');
            // Under a tag an entry of version 2 has no room: there the timestamp is the proof.
            const log = api === 'v2' ? ['--insecure-ignore-tlog'] : [];
            for (const command of commands) {
              const all = [...command, ...trusting(version), ...log, '--use-signed-timestamps'];
              const passed = await cosign(version, [...all, ...named(keyless), image]);
              assert.equal(passed.code, 0, passed.stderr);
              const refused = keyless ? named(true, 'https://example.com/somebody') : ['--key', 'rekor1.pub'];
              assert.notEqual((await cosign(version, [...all, ...refused, image])).code, 0);
            }
          });
        }

        test(`cosign 3 verifies bundles, ${by}, of a log of ${api}, and demands the log`, async () => {
          const image = await signed('sigstore-bundle');
          for (const command of commands) {
            const all = [...command, ...trusting('cosign 3'), '--use-signed-timestamps'];
            const passed = await cosign('cosign 3', [...all, ...named(keyless), image]);
            assert.equal(passed.code, 0, passed.stderr);
            const refused = keyless ? named(true, world.identity, 'https://other') : ['--key', 'rekor1.pub'];
            assert.notEqual((await cosign('cosign 3', [...all, ...refused, image])).code, 0);
          }
        });

        test(`what is exported from annotations verifies as a bundle, ${by}, of a log of ${api}`, async () => {
          const artifact = Buffer.from(`${keyless} ${api} exported`);
          const digest = createHash('sha256').update(artifact).digest('hex');
          const data = {
            ...(keyless ? world.keyless : {}),
            ...world.log(api),
            ...world.timestamps,
            'artifacts.taskrun.format': 'slsa/v2alpha4',
            'artifacts.oci.storage': 'tekton',
          };
          const taskRun = builtRun(`registry.example.com/app@sha256:${digest}`);
          const pipeline = world.open(data);
          const outcome = await pipeline.process(parseRun(taskRun));
          await pipeline.close();
          assert.deepEqual(errorsOf(outcome), []);
          const subject = { run: marked(taskRun, outcome), taskRuns: [] };
          const bundles = await exportBundles(subject, 'tekton', parseConfig(data).config);
          assert.deepEqual(
            bundles.map(({ isOwn }) => isOwn),
            [true, false],
          );
          const [own] = bundles;
          await writeFile(join(world.sigstore.folder, 'run.sigstore.json'), JSON.stringify(own?.bundle));
          await writeFile(join(world.sigstore.folder, 'artifact'), artifact);
          const args = [
            ...['verify-blob-attestation', '--bundle', 'run.sigstore.json', '--type', 'slsaprovenance1'],
            ...['--trusted-root', 'trusted_root.json', '--use-signed-timestamps'],
          ];
          // cosign 2 knows neither entries of version 2, nor that this is a bundle, unless it is told.
          const versions = api === 'v1' ? (['cosign 2', 'cosign 3'] as const) : (['cosign 3'] as const);
          for (const version of versions) {
            const form = version === 'cosign 2' ? ['--new-bundle-format'] : [];
            const passed = await cosign(version, [...args, ...form, ...named(keyless), 'artifact']);
            assert.equal(passed.code, 0, passed.stderr);
            const other = keyless ? named(true, 'https://example.com/somebody') : ['--key', 'rekor1.pub'];
            assert.notEqual((await cosign(version, [...args, ...form, ...other, 'artifact'])).code, 0);
          }
        });
      }
    }

    test('chains verify image demands identity, log and timestamp of what is in the registry', async () => {
      const image = await app.pushImage('by identity');
      const pipeline = world.open({
        ...world.keyless,
        ...world.log('v1'),
        ...world.timestamps,
        'artifacts.taskrun.storage': 'oci',
      });
      assert.deepEqual(errorsOf(await pipeline.process(parseRun(builtRun(image)))), []);
      await pipeline.close();
      const verify = async (identity: string, ...more: readonly string[]): Promise<number> =>
        runVerify(
          ['image', image],
          {
            ...{ file: [], key: [], output: 'json', insecure: true, systemNamespace: 'tekton-chains' },
            ...{ requireLog: true, requireTimestamp: true, trustedRoot: world.sigstore.trustedRoot },
            certificateIdentity: identity,
            certificateOidcIssuer: more[0] ?? world.sigstore.issuer,
          },
          () => true,
        );
      assert.equal(await verify(world.identity), 0);
      assert.equal(await verify('https://example.com/somebody'), 3);
      assert.equal(await verify(world.identity, 'https://example.com'), 3);
    });

    test('a log that the trusted root knows is asked for what is not stored, and no other address', async () => {
      const taskRun = builtRun(`registry.example.com/app@sha256:${'d'.repeat(64)}`);
      const data = {
        ...world.log('v1'),
        'transparency.url': world.sigstore.rekorV1,
        'artifacts.oci.storage': '',
      };
      const pipeline = world.open(data);
      const outcome = await pipeline.process(parseRun(taskRun));
      await pipeline.close();
      assert.deepEqual(errorsOf(outcome), []);
      const without = Object.entries(outcome.annotations).filter(([name]) => !name.includes('/evidence-'));
      const verify = async (annotations: Readonly<Record<string, string>>, mayAsk: boolean) => {
        const run = marked(taskRun, { ...outcome, annotations });
        const { verification } = await verifyStores(
          { run, taskRuns: [] },
          {
            ...{
              keys: [await readPublicKey(world.publicKey)],
              expected: {},
              stores: ['tekton'],
              strict: true,
            },
            ...{ config: parseConfig(data).config, evidence: evidence(false, { requireLog: true, mayAsk }) },
          },
        );
        return verification;
      };
      assert.equal((await verify(Object.fromEntries(without), true)).verified, true);
      assert.equal((await verify(Object.fromEntries(without), false)).verified, false);
      const gate = await openGate(() => ({ status: 200, json: {} }));
      const foreign = `${gate.url}/api/v1/log/entries?logIndex=0`;
      const lured = await verify({ ...Object.fromEntries(without), [transparencyMark]: foreign }, true);
      assert.equal(lured.verified, false);
      assert.match(
        lured.checks.map(({ reason }) => reason).join(),
        /not an entry of a log of the trusted root/,
      );
      assert.equal(gate.requests.length, 0);
      await gate.close();
    });

    test('keys in a KMS sign for logs of both versions, or the configuration is refused with the reason', async () => {
      const vault = await startRealVault();
      const token = await vault.createToken('signer');
      for (const { kind, pss = false } of transitKinds) {
        const name = `${kind}${pss ? ' pss' : ''}`.replaceAll(' ', '-');
        await vault.createKey(name, kind);
        for (const api of ['v1', 'v2'] as const) {
          const data = {
            ...world.log(api),
            ...world.timestamps,
            'artifacts.taskrun.format': 'slsa/v2alpha4',
            'artifacts.oci.storage': '',
            'artifacts.taskrun.signer': 'kms',
            'signers.kms.kmsref': `hashivault://${name}${pss ? '?padding=pss' : ''}`,
            'signers.kms.auth.address': vault.address,
            'signers.kms.auth.token': token,
          };
          const pipeline = world.open(data);
          const reasons = (await pipeline.check(['taskrun'])).flatMap(({ error }) => error?.message ?? []);
          const taskRun = builtRun(`registry.example.com/app@sha256:${'e'.repeat(64)}`);
          const outcome = await pipeline.process(parseRun(taskRun));
          await pipeline.close();
          const isTaken = !pss && (kind === 'P-256' || kind.startsWith('RSA') || api === 'v1');
          assert.deepEqual(
            [reasons.length, outcome.failures.length],
            isTaken ? [0, 0] : [1, 1],
            `${name} ${api}`,
          );
          if (!isTaken) {
            assert.match(
              reasons.join(),
              /^artifacts\.taskrun: the key is .*; use an ECDSA P-256 key(, or v1)?$/,
            );
            assert.match(errorsOf(outcome).join(), /^WITNESS_REFUSED: .*the key is /);
          }
        }
      }
      await vault.close();
    });

    for (const encoding of ['dsse', 'sigstore-bundle']) {
      test(`what another certificate of the same identity signed is not added to the registry again: ${encoding}`, async () => {
        const image = await app.pushImage(`twice ${encoding}`);
        const data = {
          ...world.keyless,
          ...world.log('v1'),
          ...world.timestamps,
          'artifacts.taskrun.format': 'slsa/v2alpha4',
          'artifacts.taskrun.storage': 'oci',
          'storage.oci.encoding-format': encoding,
        };
        const taskRun = parseRun(builtRun(image));
        const counts: (readonly number[])[] = [];
        for (const settings of [data, data, { ...data, 'signers.x509.fulcio.enabled': 'false' }]) {
          const pipeline = world.open(settings);
          assert.deepEqual(errorsOf(await pipeline.process(taskRun)), []);
          await pipeline.close();
          const [signatures, attestations] = [await app.layers(image, 'sig'), await app.layers(image, 'att')];
          counts.push([signatures.length, attestations.length, (await app.referrers(image)).length]);
        }
        const once = encoding === 'dsse' ? [1, 1, 0] : [0, 0, 2];
        // A key of our own is somebody else.
        assert.deepEqual(counts, [once, once, once.map((count) => count * 2)]);
      });
    }

    for (const name of ['grafeas', 'archivista', 'pubsub', 'firestore', 'dynamodb'] as const) {
      test(`the store ${name} takes what is confirmed, with and without a key, logged in both versions`, async (context) => {
        const opened = await openPlaces[name](context);
        const { store, ...settings } = places[name].settings;
        for (const keyless of [true, false]) {
          for (const api of ['v1', 'v2'] as const) {
            const pipeline = world.open({
              ...opened.settings,
              ...settings,
              ...(keyless ? world.keyless : {}),
              ...world.log(api),
              ...world.timestamps,
              'artifacts.taskrun.format': 'in-toto',
              'artifacts.taskrun.storage': store,
              'artifacts.oci.storage': '',
            });
            const taskRun = builtRun(`registry.example.com/app@sha256:${'f'.repeat(64)}`);
            const outcome = await pipeline.process(parseRun(taskRun));
            await pipeline.close();
            assert.deepEqual(errorsOf(outcome), [], `${keyless} ${api}`);
            assert.match(outcome.annotations[transparencyMark] ?? '', /logIndex=\d+$/);
          }
        }
      });
    }

    test('openssl verifies the timestamps', async () => {
      const taskRun = builtRun('registry.example.com/app@sha256:' + 'c'.repeat(64));
      const pipeline = world.open({ ...world.timestamps, 'artifacts.oci.storage': '' });
      const [draft] = (await pipeline.draft(parseRun(taskRun))).drafts;
      assert.ok(draft);
      const entry = await pipeline.signDraft(draft);
      await pipeline.close();
      assert.ok('signature' in entry);
      const at = (name: string) => join(world.sigstore.folder, name);
      await writeFile(at('signature'), entry.signature.bytes);
      await writeFile(at('timestamp'), entry.transparency?.timestamps[0] ?? '');
      const verify = ['ts', '-verify', '-in', at('timestamp'), '-data', at('signature')];
      const said = await outputOf(tool('openssl'), [...verify, '-CAfile', at('tsa.pem')]);
      assert.match(said, /Verification: OK/);
    });
  });
}
