import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { at } from '../../src/json.ts';
import { type SandboxRegistry, startRegistry } from '../../sandbox/registry/index.ts';
import {
  type Attack,
  type HostileRegistries,
  hostileImage,
  image,
  manifestType,
  startHostileRegistries,
} from '../doubles/hostile-registry.ts';
import type { ControllerProcess } from './controller-process.ts';
import { deployed } from './deployed.ts';
import { doneStatus, eventually, mark, openWorld, type TestCluster, type World } from './world.ts';

/** What each attack's runs say in the end. */
const attacks: Readonly<Record<Attack, RegExp>> = {
  silent: /limits\.\w+-timeout|the try was ended after/,
  'slow-body': /limits\.\w+-timeout|the try was ended after/,
  'slow-header': /limits\.\w+-timeout|the try was ended after/,
  scopes: /the registry answered 401/,
  manifest: /longer than 4194304 bytes|limits\.\w+-timeout|the try was ended after/,
  deep: /JSON|nested|nests/,
  token: /longer than 65536 bytes|limits\.\w+-timeout|the try was ended after/,
  pages: /more than 2000 referrers, or 32 pages/,
  location: /leads to a private address/,
  redirect: /leads to a link-local address/,
  link: /leads to a loopback address/,
  realm: /leads to a private address/,
  forgetful: /doesn't show it/,
};

const runsOfAttack = 20;
const tenants = 20;
const manyImages = 2_600;
/** Milliseconds within which a run of another namespace is signed, whatever others do. */
const promised = 10_000;

/** Registries, Secrets and runs that are made to stop the signer, with the memory and the limits that it has in a cluster. */
export function hostileSuite(name: string, start: () => Promise<TestCluster>): void {
  describe(`hostile tenants on ${name}`, () => {
    let world: World;
    let hostile: HostileRegistries;
    let honest: SandboxRegistry;
    let guarded: SandboxRegistry;
    let controller: ControllerProcess;
    const { node, memory } = deployed();
    before(async () => {
      hostile = await startHostileRegistries();
      honest = await startRegistry();
      guarded = await startRegistry({ guard: { scheme: 'token', users: [] } });
      world = await openWorld(await start());
      await world.configure({
        'artifacts.oci.storage': 'oci',
        'artifacts.taskrun.storage': 'tekton, oci',
        'storage.oci.encoding-format': 'sigstore-bundle',
        'storage.oci.repository.insecure': 'true',
      });
      const state = join(world.folder, 'state');
      await mkdir(state);
      controller = world.startProcess(['--state-dir', state], {
        node,
        environment: { HTTP_PROXY: hostile.proxy, NO_PROXY: 'localhost,127.0.0.1' },
      });
      await eventually(
        'the controller has started',
        () => controller.log().includes('"started"') || undefined,
      );
    });
    after(async () => {
      await world?.close();
      await Promise.all([hostile?.close(), honest?.close(), guarded?.close()]);
    });

    let goodRuns = 0;
    /** A run of another namespace is signed in time, and the controller has the memory that it is given. */
    const assertSigned = async (during: string): Promise<void> => {
      goodRuns += 1;
      const good = image(`good-${goodRuns}`);
      honest.contents('acme/app').put(good.digest, good.bytes, manifestType);
      const began = Date.now();
      await createRun(world, 'default', `good-${goodRuns}`, [`${honest.host}/acme/app@${good.digest}`]);
      const run = await eventually(`a run is signed during ${during}`, async () => {
        const { body } = await world.call('GET', pathOf('default', `good-${goodRuns}`));
        return (mark(body, 'signed') ?? '') === '' ? undefined : body;
      });
      const took = Date.now() - began;
      assert.equal(mark(run, 'signed'), 'true', mark(run, 'message'));
      assert.ok(took < promised, `a run took ${took} ms to be signed during ${during}`);
      await assertWell(controller, memory, during);
    };

    for (const attack of Object.keys(attacks) as Attack[]) {
      it(`others are signed within 10 s while registries are ${attack}`, { timeout: 120_000 }, async () => {
        await createNamespace(world, attack);
        const named = `${attack}.hostile.test/acme/app@${hostileImage.digest}`;
        for (let index = 0; index < runsOfAttack; index += 1)
          await createRun(world, attack, `run-${index}`, [named]);
        await eventually(`${attack} is asked`, () => hostile.asked(attack) > 1 || undefined);
        await assertSigned(attack);
      });
    }

    it(`others are signed while ${tenants} namespaces hang at registries of their own`, {
      timeout: 120_000,
    }, async () => {
      for (let tenant = 0; tenant < tenants; tenant += 1) {
        await createNamespace(world, `tenant-${tenant}`);
        const named = `silent-${tenant}.hostile.test/acme/app@${hostileImage.digest}`;
        for (let index = 0; index < 3; index += 1)
          await createRun(world, `tenant-${tenant}`, `run-${index}`, [named]);
        if (tenant % 5 === 4) await assertSigned(`${tenant + 1} namespaces hanging`);
      }
    });

    it('others are signed while a Secret of a namespace is hostile', { timeout: 120_000 }, async () => {
      const secrets: Readonly<Record<string, string>> = {
        slashes: config(`x${'/'.repeat(500_000)}x`),
        zeros: JSON.stringify({
          auths: { [guarded.host]: { auth: Buffer.from(`a:${'\0'.repeat(300_000)}x`).toString('base64') } },
        }),
        wildcards: config(`${'*'.repeat(60)}x.${guarded.host}`),
        deep: '['.repeat(400_000),
      };
      await createNamespace(world, 'secrets');
      for (const [secret, text] of Object.entries(secrets)) {
        const metadata = { name: secret };
        const made = await world.call('POST', '/api/v1/namespaces/secrets/secrets', {
          ...{ apiVersion: 'v1', kind: 'Secret', metadata, type: 'kubernetes.io/dockerconfigjson' },
          // The API server looks at the whole text too, and takes no nesting that deep.
          ...(secret === 'deep' ? { type: 'Opaque' } : {}),
          stringData: { '.dockerconfigjson': text },
        });
        assert.equal(made.status, 201, String(at(made.body, 'message')).slice(0, 500));
        await world.call('POST', '/api/v1/namespaces/secrets/serviceaccounts', {
          ...{ apiVersion: 'v1', kind: 'ServiceAccount', metadata, secrets: [metadata] },
        });
        const named = `${guarded.host}/acme/app@${hostileImage.digest}`;
        for (let index = 0; index < 5; index += 1)
          await createRun(world, 'secrets', `${secret}-${index}`, [named], { serviceAccountName: secret });
        await assertSigned(`Secret ${secret}`);
      }
    });

    it(`others are signed while a run names ${manyImages} images, which says how many are signed`, {
      timeout: 240_000,
    }, async (test) => {
      const large = await startRegistry();
      test.after(() => large.close());
      await createNamespace(world, 'many');
      const images = Array.from({ length: manyImages }, (_, index) => {
        const { digest, bytes } = image(`many-${index}`);
        large.contents('acme/many').put(digest, bytes, manifestType);
        return `${large.host}/acme/many@${digest}`;
      });
      await createRun(world, 'many', 'run', images);
      for (let times = 0; times < 3; times += 1) await assertSigned('a run of many images');
      const signed = await eventually(
        'the run of many images has its end state or its message',
        async () => {
          const { body } = await world.call('GET', pathOf('many', 'run'));
          return mark(body, 'message') === undefined ? undefined : body;
        },
        180_000,
      );
      assert.match(mark(signed, 'message') ?? '', /limits\.images-per-run is 250/);
    });

    it('every run of an attack says what is wrong, and waits for another try or has failed', {
      timeout: 240_000,
    }, async () => {
      for (const [attack, reason] of Object.entries(attacks)) {
        const tried = await eventually(
          `a run of ${attack} says what is wrong`,
          async () => {
            const { body } = await world.call('GET', pathOf(attack, 'run-0'));
            return mark(body, 'message') === undefined ? undefined : body;
          },
          150_000,
        );
        assert.match(mark(tried, 'message') ?? '', reason, attack);
        assert.notEqual(mark(tried, 'signed'), 'true', attack);
      }
      assert.equal(hostile.innerVisits(), 0, 'no registry may lead to an inner host');
      const tries = runsOfAttack * 10;
      assert.ok(
        hostile.pushed('forgetful') < 8 * tries,
        `${hostile.pushed('forgetful')} pushes that were never shown`,
      );
      await assertSigned('all attacks together');
    });
  });
}

async function assertWell(controller: ControllerProcess, memory: number, during: string): Promise<void> {
  const ended = await Promise.race([controller.ended, pause(1, 'running')]);
  assert.equal(ended, 'running', `the controller ended during ${during}:\n${controller.log().slice(-2_000)}`);
  const peak = await controller.peakMemory();
  assert.ok(peak < memory, `${peak} MiB at peak during ${during}, of ${memory}`);
}

function config(host: string): string {
  return JSON.stringify({ auths: { [host]: { username: 'x', password: 'y' } } });
}

function pathOf(namespace: string, name: string): string {
  return `/apis/tekton.dev/v1/namespaces/${namespace}/taskruns/${name}`;
}

async function createNamespace(world: World, name: string): Promise<void> {
  const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
  const { status } = await world.call('POST', '/api/v1/namespaces', body);
  assert.equal(status, 201);
}

/** Creates a finished TaskRun that says it built these images. */
async function createRun(
  world: World,
  namespace: string,
  name: string,
  images: readonly string[],
  spec: object = {},
): Promise<void> {
  const body = { apiVersion: 'tekton.dev/v1', kind: 'TaskRun', metadata: { name }, spec };
  const created = await world.call('POST', pathOf(namespace, '').slice(0, -1), body);
  assert.equal(created.status, 201);
  const status = { ...doneStatus, results: [{ name: 'IMAGES', value: images.join('\n') }] };
  const path = `${pathOf(namespace, name)}/status`;
  const written = await world.call('PATCH', path, { status }, 'application/merge-patch+json');
  assert.equal(written.status, 200);
}
