import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { startSandbox } from '../../sandbox/index.ts';
import { type SandboxRegistry, startRegistry } from '../../sandbox/registry/index.ts';
import { doneStatus, ended, eventually, mark, openWorld, type World } from './world.ts';

suite('the controller and a registry in trouble', () => {
  let world: World;
  let registry: SandboxRegistry;
  before(async () => {
    registry = await startRegistry({ referrers: false });
    world = await openWorld(await startSandbox({ life: false }));
    await world.configure({
      'artifacts.taskrun.format': 'in-toto',
      'artifacts.taskrun.storage': 'tekton,oci',
    });
    await world.startController();
  });
  after(async () => {
    await world?.close();
    await registry?.close();
  });

  const layersAt = (hex: string, suffix: string) => {
    const { json } = registry.contents('acme/app').manifest(`sha256-${hex}.${suffix}`);
    return Array.isArray(json['layers']) ? json['layers'].length : 0;
  };
  const createRun = (name: string, hex: string) =>
    world.createRun(name, {
      status: {
        ...doneStatus,
        results: [
          { name: 'IMAGE_URL', value: `${registry.host}/acme/app` },
          { name: 'IMAGE_DIGEST', value: `sha256:${hex}` },
        ],
      },
    });
  /** Waits until the run says why it isn't signed yet, lets `mend` change that, and looks at how it ends. */
  const recovers = async (name: string, hex: string, reason: RegExp, mend: () => void | Promise<void>) => {
    await createRun(name, hex);
    await eventually('the reason is on the run', async () => {
      const run = await world.run(name);
      return mark(run, 'retries') === undefined ? undefined : run;
    });
    const waiting = await world.run(name);
    assert.equal(mark(waiting, 'signed') ?? '', '');
    assert.match(mark(waiting, 'message') ?? '', reason);
    await mend();
    const run = await ended(world, name);
    assert.deepEqual([mark(run, 'signed'), mark(run, 'message') ?? ''], ['true', '']);
    assert.deepEqual([layersAt(hex, 'sig'), layersAt(hex, 'att')], [1, 1]);
  };

  test('throttling: the reason is on the run, and it is signed once that is over', async () => {
    registry.faults.add({ kind: 'status', code: 429, retryAfter: 1 });
    await recovers('throttled', '1'.repeat(64), /the registry answered 429/, () => registry.faults.clear());
  });

  test('half-closed connections, of which only some get through', async () => {
    let seen = 0;
    registry.faults.add({ kind: 'broken', when: 'answering' }, { when: () => (seen += 1) % 7 > 1 });
    await recovers('broken', '2'.repeat(64), /no whole answer/, () => registry.faults.clear());
  });

  test('lies about digests', async () => {
    registry.faults.add({ kind: 'lie' }, { when: ({ path }) => path.includes('/manifests/') });
    await recovers('lied-to', '3'.repeat(64), /gave other content than the digest names/, () =>
      registry.faults.clear(),
    );
  });

  test('down, and back at the same address', async () => {
    const port = Number(registry.host.split(':')[1]);
    await registry.close();
    await recovers('down', '4'.repeat(64), /ECONNREFUSED/, async () => {
      registry = await startRegistry({ port, referrers: false });
    });
  });
});
