import assert from 'node:assert/strict';
import { copyFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, suite, test, type TestContext } from 'node:test';
import { request } from 'undici';
import { at, objectIn, parseJson } from '../../src/json.ts';
import { handOn, openGate } from '../doubles/gate.ts';
import type { Controller } from '../../src/controller/index.ts';
import { told } from '../integration/events.suite.ts';
import { doneStatus, ended, eventually, itemsAt, openWorld, type World } from '../integration/world.ts';
import { startCluster } from './cluster.ts';
import { type SigstoreWorld, startSigstoreWorld } from './sigstore-world.ts';

/** A controller without a key of its own, on a real API server. */
export function sigstoreControllerSuite(): void {
  suite('a controller without a key of its own, on a real API server', () => {
    let sigstore: SigstoreWorld;
    before(async () => {
      sigstore = await startSigstoreWorld();
    });
    after(() => sigstore?.close());

    const start = async (
      context: TestContext,
      data: Readonly<Record<string, string>>,
      withRoot = true,
    ): Promise<{ world: World; controller: Controller; ready: () => Promise<string> }> => {
      sigstore.reset();
      const world = await openWorld(await startCluster());
      context.after(() => world.close());
      await rm(join(world.secretsFolder, 'x509.pem'));
      if (withRoot)
        await copyFile(sigstore.sigstore.trustedRoot, join(world.secretsFolder, 'trusted_root.json'));
      await world.configure({ ...sigstore.keyless, ...sigstore.timestamps, ...data });
      const controller = await world.startController();
      const ready = async (): Promise<string> =>
        (await request(`http://127.0.0.1:${controller.healthPort}/readyz`)).body.text();
      return { world, controller, ready };
    };

    test('says on the run, in its Event, in readiness and in metrics where its signatures are confirmed', async (context) => {
      const { world, controller, ready } = await start(context, {
        ...sigstore.log('v1'),
        'events.signed': 'true',
      });
      await world.createRun('build', { status: doneStatus });
      const run = await ended(world, 'build');
      const address = String(at(run, 'metadata', 'annotations', 'chains.tekton.dev/transparency'));
      assert.match(address, new RegExp(`^${sigstore.gates.rekorV1.url}/api/v1/log/entries\\?logIndex=\\d+$`));
      assert.equal((await request(address)).statusCode, 200);
      assert.match(
        (await told(world, 'build')).join(),
        new RegExp(`Normal Signed: .*transparency: ${address.replace('?', '\\?')}`),
      );
      const text = await ready();
      assert.match(text, /\[\+\] Fulcio ok: last answer 20\S+; the certificate ends 20\S+\n/);
      assert.match(text, /\[\+\] transparency log ok: last answer /);
      assert.match(text, /\[\+\] timestamp server ok: last answer /);
      const metrics = await (await request(`http://127.0.0.1:${controller.metricsPort}/metrics`)).body.text();
      assert.match(metrics, /^watcher_taskrun_payload_uploaded_total 1$/m);
      for (const service of ['fulcio', 'log', 'timestamp'])
        assert.match(
          metrics,
          new RegExp(
            `^chains_sigstore_last_success_timestamp_seconds\\{service="${service}"\\} 1\\.\\d+e9|\\d{10}`,
            'm',
          ),
        );
      assert.match(metrics, /^chains_certificate_end_timestamp_seconds \d{10}/m);
      assert.ok(
        !world.logged.join().includes(sigstore.sigstore.token().split('.')[0] ?? ''),
        'no token is logged',
      );
    });

    test('loses nothing while Fulcio, log and timestamp server are away, and says why', async (context) => {
      const { world, ready } = await start(context, {
        ...sigstore.log('v2'),
        'signing.retry-deadline': '10m',
      });
      await world.createRun('first', { status: doneStatus });
      await ended(world, 'first');
      for (const gate of [sigstore.gates.rekorV2, sigstore.gates.timestamps])
        gate.trouble = {
          happens: { status: 503, json: { message: 'away' } },
          times: Number.POSITIVE_INFINITY,
        };
      await Promise.all(['a', 'b', 'c'].map((name) => world.createRun(name, { status: doneStatus })));
      const message = await eventually('a message on the run', async () => {
        const found = at(
          (await world.run('a')) ?? null,
          'metadata',
          'annotations',
          'chains.tekton.dev/message',
        );
        return typeof found === 'string' ? found : undefined;
      });
      assert.match(message, /get a timestamp from http.*503 away/);
      assert.match(
        await ready(),
        /\[\+\] timestamp server ok: last answer .*failed \d+ times since: get a timestamp/,
      );
      sigstore.reset();
      for (const name of ['a', 'b', 'c']) {
        const annotations = at(await ended(world, name), 'metadata', 'annotations');
        assert.equal(at(annotations, 'chains.tekton.dev/signed'), 'true');
        assert.equal(at(annotations, 'chains.tekton.dev/message'), undefined);
      }
      assert.equal(sigstore.gates.fulcio.requests.length, 0, 'the certificate was still good');
    });

    test('killed between upload and store, it finds its entry in the log, and uploads no other', async (context) => {
      const world = await openWorld(await startCluster());
      context.after(() => world.close());
      await copyFile(sigstore.sigstore.trustedRoot, join(world.secretsFolder, 'trusted_root.json'));
      const uploaded = Promise.withResolvers<string>();
      let isHeld = true;
      const gate = await openGate(async (asked) => {
        const answer = await handOn(Number(new URL(sigstore.sigstore.rekorV1).port))(asked);
        if (!isHeld) return answer;
        uploaded.resolve(Buffer.from(answer.bytes ?? []).toString());
        return new Promise(() => {});
      });
      context.after(() => gate.close());
      await world.configure({ ...sigstore.log('v1'), 'transparency.url': gate.url });
      await world.createRun('build', { status: doneStatus });
      const killed = world.startProcess();
      const [entry] = Object.values(objectIn(parseJson(await uploaded.promise)));
      await killed.end('SIGKILL');
      assert.equal(
        at(await world.run('build'), 'metadata', 'annotations', 'chains.tekton.dev/signed'),
        undefined,
      );
      isHeld = false;
      world.startProcess();
      const address = at(
        await ended(world, 'build'),
        'metadata',
        'annotations',
        'chains.tekton.dev/transparency',
      );
      assert.equal(address, `${gate.url}/api/v1/log/entries?logIndex=${String(at(entry, 'logIndex'))}`);
    });

    test('says in an Event and in readiness what is not verified', async (context) => {
      const { world, ready } = await start(context, sigstore.log('v1'), false);
      const events = await eventually('three Events', async () => {
        const found = await itemsAt(world, '/api/v1/namespaces/tekton-chains/events');
        const taken = found.filter((event) => at(event, 'reason') === 'UnverifiedAnswers');
        return taken.length === 3 ? taken : undefined;
      });
      for (const event of events)
        assert.match(String(at(event, 'message')), /is not verified, since no trusted root covers it/);
      assert.match(
        await ready(),
        /\[\+\] signers\.x509\.tuf\.mirror\.url trusted root ok: what the .* is not verified/,
      );
      await world.createRun('build', { status: doneStatus });
      await ended(world, 'build');
      await writeFile(join(world.secretsFolder, 'trusted_root.json'), '{}');
      await eventually(
        'the damaged root is reported',
        async () =>
          /trusted_root\.json in the Secret signing-secrets can't be used/.test(await ready()) || undefined,
      );
    });
  });
}
