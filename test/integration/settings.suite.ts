import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { request } from 'undici';
import type { Controller } from '../../src/controller/index.ts';
import { verify } from '../../src/index.ts';
import { at } from '../../src/json.ts';
import {
  doneStatus,
  ended,
  eventually,
  itemsAt,
  mark,
  metricsPage,
  openWorld,
  type TestCluster,
  type World,
} from './world.ts';

const good = { 'artifacts.oci.storage': 'tekton' };
const bad = { ...good, 'artifacts.taskrun.signer': 'x50' };
/** A line of a key that must never be told to anybody. */
const secretLine = 'MHcCAQEEIBadBadBadBadBadBadBadBadBadBadBadBadBadBadBadoAoGCCqGSM49';

/** What bad configurations and bad keys do, on any cluster. */
export function settingsSuite(name: string, start: () => Promise<TestCluster>): void {
  async function worldOf(test: TestContext, data: Readonly<Record<string, string>>): Promise<World> {
    const world = await openWorld(await start());
    test.after(() => world.close());
    await world.configure(data);
    return world;
  }

  describe(`with bad settings on ${name}, the controller`, () => {
    it('signs nothing under a configuration that is bad at its start, names the key, and signs once it is corrected', async (test) => {
      const world = await worldOf(test, bad);
      const controller = await world.startController();
      await world.createRun('early', { status: doneStatus });
      const trouble = await notReady(controller, /artifacts\.taskrun\.signer/);
      assert.match(trouble, /x509/);
      assert.equal(mark(await world.run('early'), 'signed'), undefined);
      await world.configure(good);
      assert.equal(mark(await ended(world, 'early'), 'signed'), 'true');
      await isReady(controller);
    });

    it('keeps the last good configuration when another is bad, and says so in log, Event, readiness and metrics', async (test) => {
      const world = await worldOf(test, good);
      const controller = await world.startController();
      await isReady(controller);
      await world.configure({ ...bad, 'artifacts.taskrun.storage': 'nowhere' });
      const trouble = await notReady(
        controller,
        /(?=.*artifacts\.taskrun\.signer).*artifacts\.taskrun\.storage/,
      );
      assert.ok(!trouble.includes('\n'));
      await world.createRun('meanwhile', { status: doneStatus });
      assert.equal(mark(await ended(world, 'meanwhile'), 'signed'), 'true');
      const logged = world.logged.filter((line) => line.includes('CONFIG_INVALID'));
      assert.equal(logged.length, 1, 'told once');
      await eventually('the Event', () =>
        eventWith(world, 'InvalidConfiguration', /artifacts\.taskrun\.signer/),
      );
      assert.match(await metricsPage(controller), /config_valid(\{\})? 0/);
      await world.configure(good);
      await isReady(controller);
    });

    it('says which file is missing, tries again, and signs when the key is supplied', async (test) => {
      const world = await worldOf(test, good);
      const key = join(world.secretsFolder, 'x509.pem');
      const content = await readFile(key);
      await rm(key);
      const controller = await world.startController();
      await notReady(controller, /x509\.pem/);
      await world.createRun('waiting', { status: doneStatus });
      const waiting = await eventually('the reason on the run', async () => {
        const run = await world.run('waiting');
        return mark(run, 'message') === undefined ? undefined : run;
      });
      assert.match(mark(waiting, 'message') ?? '', /x509\.pem/);
      assert.deepEqual(at(waiting, 'metadata', 'finalizers'), ['chains.tekton.dev/taskrun']);
      await eventually('the metrics show that it waits', async () =>
        /^chains_runs_waiting 1$/m.test(await metricsPage(controller)) ? true : undefined,
      );
      await writeFile(key, content);
      const run = await ended(world, 'waiting');
      assert.equal(mark(run, 'signed'), 'true');
      assert.equal(mark(run, 'message'), undefined);
      assert.ok((await verify({ run, keys: [world.publicKey] })).verified);
      await isReady(controller);
    });

    it('keeps the last good key when the file is damaged, and shows nobody what was in it', async (test) => {
      const world = await worldOf(test, good);
      const key = join(world.secretsFolder, 'x509.pem');
      const controller = await world.startController();
      await isReady(controller);
      await writeFile(key, `-----BEGIN PRIVATE KEY-----\n${secretLine}\n-----END PRIVATE KEY-----\n`);
      const trouble = await notReady(controller, /x509\.pem.*the last good key stays in use/);
      await world.createRun('damaged', { status: doneStatus });
      const run = await ended(world, 'damaged');
      assert.ok((await verify({ run, keys: [world.publicKey] })).verified);
      for (const text of [trouble, ...world.logged, JSON.stringify(run)]) {
        assert.ok(!text.includes(secretLine.slice(0, 16)), text);
      }
    });

    it('signs with a new key as soon as it is there, and never again with one that was removed', async (test) => {
      const world = await worldOf(test, good);
      const key = join(world.secretsFolder, 'x509.pem');
      const controller = await world.startController();
      await isReady(controller);
      await rm(key);
      await notReady(controller, /x509\.pem/);
      await world.createRun('rotated', { status: doneStatus });
      await eventually('a failed attempt', async () => mark(await world.run('rotated'), 'retries'));
      const { publicKey, privateKey } = generateKeyPairSync('ed25519');
      await writeFile(key, privateKey.export({ format: 'pem', type: 'pkcs8' }));
      const run = await ended(world, 'rotated');
      const pem = publicKey.export({ format: 'pem', type: 'spki' }).toString();
      assert.ok((await verify({ run, keys: [pem] })).verified);
      assert.ok(!(await verify({ run, keys: [world.publicKey] })).verified);
    });

    it('says which key names a back end that is not built yet, and continues with the others', async (test) => {
      const world = await worldOf(test, { ...good, 'artifacts.oci.storage': 'grafeas' });
      const controller = await world.startController();
      await notReady(controller, /artifacts\.oci\.storage.*grafeas/);
      await world.createRun('without-images', { status: doneStatus });
      assert.equal(mark(await ended(world, 'without-images'), 'signed'), 'true');
    });
  });
}

async function readiness(
  controller: Controller,
): Promise<{ readonly status: number; readonly text: string }> {
  const { statusCode, body } = await request(`http://127.0.0.1:${controller.healthPort}/readyz`);
  return { status: statusCode, text: await body.text() };
}

function isReady(controller: Controller): Promise<true> {
  return eventually('the controller is ready', async () =>
    (await readiness(controller)).status === 200 ? true : undefined,
  );
}

/** The one line of readiness that says why it is not ready. */
function notReady(controller: Controller, why: RegExp): Promise<string> {
  return eventually(`readiness says ${String(why)}`, async () => {
    const { status, text } = await readiness(controller);
    return status === 503 ? text.split('\n').find((line) => why.test(line)) : undefined;
  });
}

async function eventWith(world: World, reason: string, message: RegExp): Promise<true | undefined> {
  const events = await itemsAt(world, '/api/v1/namespaces/tekton-chains/events');
  const found = events.some(
    (event) => at(event, 'reason') === reason && message.test(String(at(event, 'message'))),
  );
  return found ? true : undefined;
}
