import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, suite, test } from 'node:test';
import { parseConfig } from '../../src/config/parse.ts';
import { at, isJsonObject, type Json, parseJson } from '../../src/json.ts';
import type { Outcome, TryProgress } from '../../src/model/outcome.ts';
import { parseRun, type Run } from '../../src/model/run.ts';
import type { SigstoreReport } from '../../src/model/sigstore.ts';
import type { Pipeline } from '../../src/pipeline.ts';
import { openFulcio } from '../../src/sign/fulcio/index.ts';
import { keygen } from '../../src/cli/commands/keygen.ts';
import { readSecrets } from '../../src/sign/secrets.ts';
import { folderFor } from './signed.ts';
import { parseTrustedRoot } from '../../src/sigstore/trusted-root.ts';
import { type Gate, type GateAnswer, handOn, openGate, type Trouble } from '../doubles/gate.ts';
import { errorsOf } from '../store/oci/world.ts';
import { builtRun, type SigstoreWorld, startSigstoreWorld } from './sigstore-world.ts';

/** Of one run, one signature. */
const alone = { 'artifacts.taskrun.format': 'slsa/v2alpha4', 'artifacts.oci.storage': '' };

/** Services of Sigstore that fail, lie or come late. */
export function sigstoreTroublesSuite(): void {
  suite('services of Sigstore that fail, lie or come late', () => {
    let world: SigstoreWorld;
    before(async () => {
      world = await startSigstoreWorld();
    });
    beforeEach(() => world.reset());
    after(() => world?.close());

    const newRun = () => parseRun(builtRun(`registry.example.com/app@sha256:${'b'.repeat(64)}`));
    const uploads = ({ requests }: Gate) =>
      requests.filter(({ method, url }) => method === 'POST' && url.pathname.endsWith('/log/entries')).length;
    /** Nothing may be stored of a signature that is not proven. */
    const assertUnsigned = (outcome: Outcome, code: RegExp, stage: string): void => {
      assert.deepEqual(
        outcome.failures.map((failure) => failure.stage),
        [stage],
      );
      assert.match(errorsOf(outcome).join(), code);
      assert.deepEqual(outcome.annotations, {});
      assert.deepEqual(outcome.signed, []);
    };
    const again = (pipeline: Pipeline, run: Run, earlier: TryProgress): Promise<Outcome> =>
      pipeline.process(run, { earlier });

    /** Each service, how it is asked for, and what its failures are called. */
    const services = [
      ['fulcio', () => world.keyless, /FULCIO_(UNAVAILABLE|REFUSED)/, 'signing'],
      ['timestamps', () => world.timestamps, /WITNESS_(UNAVAILABLE|REFUSED)/, 'tlog'],
      ['rekorV1', () => world.log('v1'), /WITNESS_(UNAVAILABLE|REFUSED)/, 'tlog'],
      [
        'rekorV2',
        () => ({ ...world.log('v2'), ...world.timestamps }),
        /WITNESS_(UNAVAILABLE|REFUSED)/,
        'tlog',
      ],
    ] as const;
    const failures: readonly (readonly [string, Trouble['happens']])[] = [
      ['answers 503', { status: 503, json: { message: 'down' } }],
      ['answers 429', { status: 429, json: { message: 'slow down' }, headers: { 'retry-after': '7' } }],
      ['answers 403', { status: 403, json: { message: 'not you' } }],
      ['breaks the connection', 'breaks'],
      ['answers a page of a proxy', { status: 200, bytes: Buffer.from('<html>') }],
      ['answers nothing', { status: 200, bytes: Buffer.alloc(0) }],
    ];
    for (const [name, settings, code, stage] of services) {
      for (const [what, happens] of failures) {
        test(`${name} ${what}: nothing is stored, and all is signed once it is back`, async () => {
          world.gates[name].trouble = { happens, times: 1 };
          const pipeline = world.open({ ...alone, ...settings() });
          const run = newRun();
          const first = await pipeline.process(run);
          assertUnsigned(first, code, stage);
          assert.ok(
            errorsOf(first).join().includes(new URL(world.gates[name].url).host),
            'the message says which service',
          );
          if (what === 'answers 429') assert.equal(first.failures[0]?.error.retryAfter, 7_000);
          // Fulcio is left alone for a second after a failure.
          if (name === 'fulcio') await new Promise((resolve) => setTimeout(resolve, 1_100));
          const second = await again(pipeline, run, first.progress);
          assert.deepEqual(errorsOf(second), []);
          await pipeline.close();
        });
      }
    }

    for (const api of ['v1', 'v2'] as const) {
      test(`an upload to a log of ${api} whose answer is lost is not made again: its entry is read`, async () => {
        const gate = api === 'v1' ? world.gates.rekorV1 : world.gates.rekorV2;
        const tiles = await tilesBefore(gate, world);
        gate.trouble = { happens: 'breaks after it is done', times: 1 };
        const pipeline = world.open({
          ...alone,
          ...world.log(api),
          ...world.timestamps,
          'transparency.url': tiles.url,
        });
        const run = newRun();
        const first = await pipeline.process(run);
        assertUnsigned(first, /WITNESS_UNAVAILABLE/, 'tlog');
        // Another process, which knows nothing of the first try, signs in the same way again.
        const other = world.open({
          ...alone,
          ...world.log(api),
          ...world.timestamps,
          'transparency.url': tiles.url,
        });
        const [inThis, inOther] = [await again(pipeline, run, first.progress), await other.process(run)];
        assert.deepEqual([errorsOf(inThis), errorsOf(inOther)], [[], []]);
        assert.deepEqual(inThis.places.get('transparency'), inOther.places.get('transparency'));
        await Promise.all([pipeline.close(), other.close()]);
        await tiles.close();
      });
    }

    test('a log of v2 that has the signature and does not show its entry gets another signature', async () => {
      const pipeline = world.open({ ...alone, ...world.log('v2'), ...world.timestamps });
      const run = newRun();
      const [first, second] = [await pipeline.process(run), await pipeline.process(run)];
      assert.deepEqual([errorsOf(first), errorsOf(second)], [[], []]);
      assert.notDeepEqual(first.places.get('transparency'), second.places.get('transparency'));
      await pipeline.close();
    });

    test('what was confirmed is not confirmed again by a further try', async () => {
      const data = { ...alone, ...world.log('v1'), ...world.timestamps };
      const pipeline = world.open(data);
      const run = newRun();
      const first = await pipeline.process(run);
      await again(pipeline, run, first.progress);
      assert.equal(uploads(world.gates.rekorV1), 1);
      assert.equal(world.gates.timestamps.requests.length, 1);
      await pipeline.close();
    });

    test('with manual, only runs that ask are logged, and the others are signed all the same', async () => {
      const data = { ...alone, ...world.log('v1'), 'transparency.enabled': 'manual' };
      const pipeline = world.open(data);
      const silent = await pipeline.process(newRun());
      const asking = builtRun(`registry.example.com/app@sha256:${'b'.repeat(64)}`);
      const metadata = isJsonObject(asking['metadata']) ? asking['metadata'] : {};
      const annotations = { 'chains.tekton.dev/transparency-upload': 'true' };
      const asked = await pipeline.process(parseRun({ ...asking, metadata: { ...metadata, annotations } }));
      assert.deepEqual([errorsOf(silent), errorsOf(asked)], [[], []]);
      assert.ok(!('chains.tekton.dev/transparency' in silent.annotations));
      assert.match(
        asked.annotations['chains.tekton.dev/transparency'] ?? '',
        /\/api\/v1\/log\/entries\?logIndex=\d+$/,
      );
      assert.equal(uploads(world.gates.rekorV1), 1);
      await pipeline.close();
    });

    test('with manual, PGP signs what is not to be logged, and a run that asks for the log is refused with the reason', async (context) => {
      const folder = await folderFor(context);
      await keygen(
        { type: 'pgp', out: folder },
        { stdout: { write: () => true }, stderr: { write: () => true } },
      );
      const secrets = await readSecrets(folder);
      const data = {
        ...alone,
        ...world.log('v1'),
        'transparency.enabled': 'manual',
        'artifacts.taskrun.signer': 'pgp',
      };
      const pipeline = world.open(data, { secrets });
      assert.deepEqual(errorsOf(await pipeline.process(newRun())), []);
      const asking = builtRun(`registry.example.com/app@sha256:${'b'.repeat(64)}`);
      const metadata = isJsonObject(asking['metadata']) ? asking['metadata'] : {};
      const annotations = { 'chains.tekton.dev/transparency-upload': 'true' };
      const refused = await pipeline.process(parseRun({ ...asking, metadata: { ...metadata, annotations } }));
      assertUnsigned(refused, /WITNESS_REFUSED.*takes no PGP signatures/, 'tlog');
      await pipeline.close();
    });

    /** Answers with something else than what the service said. */
    const lie = (gate: Gate, service: string, change: (answer: Json) => Json): Promise<Gate> =>
      openGate(async (request) => {
        const answer = await handOn(Number(new URL(service).port))(request);
        const body = parseJson(Buffer.from(answer.bytes ?? []).toString('utf8'));
        gate.requests.push(request);
        const { 'content-length': _length, ...headers } = answer.headers ?? {};
        return answer.status >= 300 ? answer : { status: answer.status, headers, json: change(body) };
      });
    const changed = (json: Json, path: readonly string[], value: Json): Json => {
      const [key, ...rest] = path;
      if (key === undefined) return value;
      const object = isJsonObject(json) ? json : {};
      return { ...object, [key]: changed(object[key] ?? null, rest, value) };
    };
    const inEntry = (path: readonly string[], value: (entry: Json) => Json) => (json: Json) => {
      const [uuid = ''] = Object.keys(isJsonObject(json) ? json : {});
      return changed(json, [uuid, ...path], value(at(json, uuid) ?? null));
    };
    const otherKey = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const liesOfV1: Readonly<Record<string, (json: Json) => Json>> = {
      'a promise by another key': inEntry(['verification', 'signedEntryTimestamp'], () =>
        sign('sha256', Buffer.from('x'), otherKey.privateKey).toString('base64'),
      ),
      'another time': inEntry(['integratedTime'], (entry) => Number(at(entry, 'integratedTime')) - 60),
      'another body': inEntry(['body'], (entry) => {
        const body = parseJson(Buffer.from(String(at(entry, 'body')), 'base64').toString());
        const other = changed(body, ['spec', 'payloadHash', 'value'], 'a'.repeat(64));
        return Buffer.from(JSON.stringify(other)).toString('base64');
      }),
      'a proof of another place': inEntry(
        ['verification', 'inclusionProof', 'logIndex'],
        (entry) => Number(at(entry, 'verification', 'inclusionProof', 'logIndex')) + 1,
      ),
      'another hash': inEntry(['verification', 'inclusionProof', 'hashes'], () => ['00'.repeat(32)]),
      'a foreign checkpoint': inEntry(['verification', 'inclusionProof', 'checkpoint'], (entry) =>
        String(at(entry, 'verification', 'inclusionProof', 'checkpoint')).replace(
          /\n\n.*/s,
          '\n\n— 127.0.0.1 AAAAAAAA\n',
        ),
      ),
      'a checkpoint in the name of a regular expression': inEntry(
        ['verification', 'inclusionProof', 'checkpoint'],
        (entry) =>
          String(at(entry, 'verification', 'inclusionProof', 'checkpoint')).replace(
            '— 127.0.0.1',
            '— (a+)+$',
          ),
      ),
      'neither promise nor proof': inEntry(['verification'], () => ({})),
    };
    for (const [what, change] of Object.entries(liesOfV1)) {
      test(`a log of v1 that answers with ${what} is refused`, async () => {
        const liar = await lie(world.gates.rekorV1, world.sigstore.rekorV1, change);
        const pipeline = world.open({ ...alone, ...world.log('v1'), 'transparency.url': liar.url });
        assertUnsigned(await pipeline.process(newRun()), /EVIDENCE_INVALID/, 'tlog');
        await Promise.all([pipeline.close(), liar.close()]);
      });
    }

    test('a log of v1 that answers with the entry of another signature is refused', async () => {
      let first: Json | undefined;
      const liar = await lie(world.gates.rekorV1, world.sigstore.rekorV1, (json) => (first ??= json));
      const pipeline = world.open({ ...alone, ...world.log('v1'), 'transparency.url': liar.url });
      assert.deepEqual(errorsOf(await pipeline.process(newRun())), []);
      assertUnsigned(
        await pipeline.process(newRun()),
        /EVIDENCE_INVALID.*the log entry is of another/,
        'tlog',
      );
      await Promise.all([pipeline.close(), liar.close()]);
    });

    const liesOfV2: Readonly<Record<string, (json: Json) => Json>> = {
      'another place': (json) => changed(json, ['inclusionProof', 'logIndex'], '999999'),
      'a foreign checkpoint': (json) =>
        changed(
          json,
          ['inclusionProof', 'checkpoint', 'envelope'],
          String(at(json, 'inclusionProof', 'checkpoint', 'envelope')).replace(
            /\n\n.*/s,
            '\n\n— 127.0.0.1 AAAAAAAA\n',
          ),
        ),
      'no proof': (json) => changed(json, ['inclusionProof'], null),
      'a body of another payload': (json) => {
        const body = parseJson(Buffer.from(String(at(json, 'canonicalizedBody')), 'base64').toString());
        const other = changed(body, ['spec', 'hashedRekordV002', 'data', 'digest'], 'AAAA');
        return changed(json, ['canonicalizedBody'], Buffer.from(JSON.stringify(other)).toString('base64'));
      },
    };
    for (const [what, change] of Object.entries(liesOfV2)) {
      test(`a log of v2 that answers with ${what} is refused`, async () => {
        const liar = await lie(world.gates.rekorV2, world.sigstore.rekorV2, change);
        const pipeline = world.open({
          ...alone,
          ...world.log('v2'),
          ...world.timestamps,
          'transparency.url': liar.url,
        });
        assertUnsigned(await pipeline.process(newRun()), /EVIDENCE_INVALID/, 'tlog');
        await Promise.all([pipeline.close(), liar.close()]);
      });
    }

    test('a timestamp of another signature, or of a server that nobody trusts, is refused', async () => {
      let first: GateAnswer | undefined;
      const replay = await openGate(async (request) => {
        first ??= await handOn(Number(new URL(world.sigstore.timestamps).port))(request);
        return first;
      });
      const pipeline = world.open({ ...alone, 'transparency.tsa.url': `${replay.url}/api/v1/timestamp` });
      assert.deepEqual(errorsOf(await pipeline.process(newRun())), []);
      assertUnsigned(
        await pipeline.process(newRun()),
        /EVIDENCE_INVALID.*the timestamp is of another signature/,
        'tlog',
      );
      await Promise.all([pipeline.close(), replay.close()]);
    });

    test('a certificate for another key is not used', async () => {
      let first: GateAnswer | undefined;
      const replay = await openGate(async (request) => {
        first ??= await handOn(Number(new URL(world.sigstore.fulcio).port))(request);
        return first;
      });
      const data = {
        ...alone,
        ...world.keyless,
        ...world.log('v1'),
        'signers.x509.fulcio.address': replay.url,
      };
      const pipeline = world.open(data);
      assert.deepEqual(errorsOf(await pipeline.process(newRun())), []);
      const other = world.open(data);
      assertUnsigned(
        await other.process(newRun()),
        /EVIDENCE_INVALID.*the certificate is of another key/,
        'signing',
      );
      await Promise.all([pipeline.close(), other.close(), replay.close()]);
    });

    test('one certificate serves many signatures, asked for by all at once', async () => {
      const pipeline = world.open({ ...alone, ...world.keyless, ...world.log('v1') });
      const outcomes = await Promise.all(Array.from({ length: 20 }, () => pipeline.process(newRun())));
      assert.deepEqual(outcomes.flatMap(errorsOf), []);
      assert.equal(world.gates.fulcio.requests.length, 1);
      assert.equal(uploads(world.gates.rekorV1), 20);
      await pipeline.close();
    });

    test('a certificate signs until two minutes before its end, by the later of both clocks, and not after', async () => {
      let ahead = 0;
      const material = parseTrustedRoot(world.trustedRoot, 'the root').material;
      const trust = { of: async () => material, notices: new Set<string>(), close: async () => {} };
      const { config } = parseConfig(world.keyless);
      const heard: SigstoreReport[] = [];
      const signer = await openFulcio(
        config,
        { trust: async () => trust, access: {}, onSigstore: (news) => heard.push(news) },
        { now: () => Date.now() + ahead, environment: {} },
      );
      const message = Buffer.from('x');
      const first = await signer.sign(message);
      const minutes = async (number: number) => {
        ahead = number * 60_000;
        return (await signer.sign(message)).certificate === first.certificate;
      };
      assert.deepEqual([await minutes(-30), await minutes(7.9)], [true, true]);
      assert.equal(world.gates.fulcio.requests.length, 1);
      assert.equal(await minutes(8.1), false);
      assert.equal(world.gates.fulcio.requests.length, 2);
      assert.deepEqual(
        heard.map(({ service, error }) => [service, error]),
        [
          ['fulcio', undefined],
          ['fulcio', undefined],
        ],
      );
      assert.ok(
        first.validUntil !== undefined && heard[0]?.validUntil?.getTime() === first.validUntil.getTime(),
      );
      await signer.close?.();
    });

    test('a signature whose certificate has ended before it was confirmed is made again', async () => {
      world.gates.rekorV1.trouble = { happens: { status: 503 }, times: 1 };
      const pipeline = world.open({ ...alone, ...world.keyless, ...world.log('v1') });
      const run = newRun();
      const first = await pipeline.process(run);
      const ended = new Map(
        [...first.progress.entries].map(([id, { made, stored }]) => {
          assert.ok(made !== undefined && made.transparency === undefined);
          return [
            id,
            { made: { ...made, signature: { ...made.signature, validUntil: new Date(0) } }, stored },
          ];
        }),
      );
      const second = await again(pipeline, run, { ...first.progress, entries: ended });
      assert.deepEqual(errorsOf(second), []);
      const [before] = [...ended.values()];
      const [after_] = [...second.progress.entries.values()];
      assert.notDeepEqual(after_?.made?.signature.bytes, before?.made.signature.bytes);
      await pipeline.close();
    });

    test('a token that Fulcio refuses is never shown, and the next one is tried', async () => {
      const path = join(world.sigstore.folder, 'rotating-token');
      const good = world.sigstore.token();
      const bad = `${good.slice(0, -20)}AAAAAAAAAAAAAAAAAAAA`;
      await writeFile(path, bad);
      const pipeline = world.open({
        ...alone,
        ...world.keyless,
        ...world.log('v1'),
        'signers.x509.identity.token.file': path,
      });
      const run = newRun();
      const refused = await pipeline.process(run);
      assertUnsigned(
        refused,
        /FULCIO_REFUSED.*system:serviceaccount:tekton-chains:tekton-chains-controller/,
        'signing',
      );
      for (const part of bad.split('.')) assert.ok(!errorsOf(refused).join().includes(part.slice(0, 40)));
      await writeFile(path, good);
      await new Promise((resolve) => setTimeout(resolve, 1_100));
      assert.deepEqual(errorsOf(await again(pipeline, run, refused.progress)), []);
      await pipeline.close();
    });

    test('without a trusted root, answers are taken and that is said; what is said of another signature is refused all the same', async () => {
      const bare = { secrets: { folder: '/etc/signing-secrets', files: new Map<string, Uint8Array>() } };
      const pipeline = world.open(
        { ...alone, ...world.keyless, ...world.log('v1'), ...world.timestamps },
        bare,
      );
      assert.deepEqual(errorsOf(await pipeline.process(newRun())), []);
      const states = await pipeline.check(['taskrun']);
      const notices = states.flatMap((state) => state.notices ?? []);
      assert.equal(notices.length, 3);
      assert.ok(
        notices.every((notice) => notice.includes('is not verified, since no trusted root covers it')),
      );
      await pipeline.close();
    });
  });
}

/** Serves the tiles of a log before the log itself, as its operators do. */
async function tilesBefore(gate: Gate, { sigstore }: SigstoreWorld): Promise<Gate> {
  assert.ok((await readdir(sigstore.tiles)).length > 0 || gate !== undefined);
  return openGate(async (request) => {
    const [, path] = /^\/api\/v2\/((?:checkpoint|tile\/.*))$/.exec(request.url.pathname) ?? [];
    if (path === undefined) return handOn(gate.port)(request);
    const bytes = await readFile(join(sigstore.tiles, path)).catch(() => undefined);
    return bytes === undefined ? { status: 404 } : { status: 200, bytes };
  });
}
