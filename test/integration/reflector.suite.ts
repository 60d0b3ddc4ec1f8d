import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { openConnection } from '../../src/kubernetes/connection.ts';
import { recordEvent } from '../../src/kubernetes/events.ts';
import { type Observer, type Reflected, reflect } from '../../src/kubernetes/reflector.ts';
import { type ApiCall, isNotFound, Rest } from '../../src/kubernetes/rest.ts';
import { at, type JsonObject } from '../../src/json.ts';
import { type Relay, startRelay } from './relay.ts';
import type { TestCluster } from './world.ts';

const configMaps = { group: '', version: 'v1', plural: 'configmaps' };
const events = { group: '', version: 'v1', plural: 'events' };
const taskRuns = { group: 'tekton.dev', version: 'v1', plural: 'taskruns' };
const namespace = 'tekton-chains';
/** Long enough for a busy machine. */
const longestWait = 60_000;

/** What the client has to do alike on every API server. */
export function reflectorSuite(name: string, start: () => Promise<TestCluster>): void {
  describe(`the Kubernetes client on ${name}`, () => {
    let cluster: TestCluster;
    let relay: Relay;
    let folder: string;
    before(async () => {
      cluster = await start();
      relay = await startRelay(Number(new URL(cluster.url).port));
      folder = await mkdtemp(join(tmpdir(), 'chains-reflector-'));
    });
    after(async () => {
      await relay.close();
      await cluster.close();
      await rm(folder, { recursive: true });
    });

    /** A client on the relay, and the calls that it makes. */
    const client = async (t: TestContext, token = cluster.token) => {
      const address = cluster.url.replace(/:\d+$/, `:${relay.port}`);
      const kubeconfig = join(folder, 'kubeconfig');
      const text = cluster.kubeconfig.replaceAll(cluster.url, address).replaceAll(cluster.token, token);
      await writeFile(kubeconfig, text);
      const calls: ApiCall[] = [];
      const connection = await openConnection({ kubeconfig, environment: {} });
      const rest = new Rest(connection, { onCall: (call) => calls.push(call) });
      t.after(() => rest.close());
      return { rest, calls };
    };

    /** The ConfigMaps with this prefix, as a reflector tells of them. */
    const reflected = async (
      t: TestContext,
      prefix: string,
      what: Partial<Reflected> = {},
      more: Partial<Observer> = {},
    ) => {
      const { rest, calls } = await client(t);
      const notes: string[] = [];
      const note = (verb: string) => (object: JsonObject) => {
        const found = String(at(object, 'metadata', 'name'));
        if (found.startsWith(prefix)) notes.push(`${verb} ${found} ${String(at(object, 'data', 'step'))}`);
      };
      const stop = new AbortController();
      const observer: Observer = {
        seen: note('seen'),
        gone: note('gone'),
        synced: () => notes.push('synced'),
        ...more,
      };
      const done = reflect(rest, { resource: configMaps, namespace, ...what }, observer, stop.signal);
      t.after(async () => {
        stop.abort();
        await done;
      });
      return { rest, calls, notes };
    };

    const make = (rest: Rest, name: string, step: string, labels: JsonObject = {}) =>
      rest.create(configMaps, namespace, {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name, labels },
        data: { step },
      });

    test('all pages of a list are reported, then every change', async (t) => {
      const { rest } = await client(t);
      const names = Array.from({ length: 12 }, (_, index) => `pages-${String(index).padStart(2, '0')}`);
      for (const name of names) await make(rest, name, 'made', name.endsWith('5') ? { skip: 'yes' } : {});
      const { notes } = await reflected(t, 'pages-', { pageSize: 5, listSelector: 'skip notin (yes)' });
      await until('the list is through', () => notes.includes('synced'));
      const listed = names.filter((name) => name !== 'pages-05').map((name) => `seen ${name} made`);
      assert.deepEqual(notes, [...listed, 'synced']);
      notes.length = 0;
      await rest.mergePatch(configMaps, { namespace, name: 'pages-05' }, { data: { step: 'patched' } });
      await make(rest, 'pages-12', 'made');
      await rest.delete(configMaps, { namespace, name: 'pages-00' });
      await until('the deletion is told', () => notes.length === 3);
      assert.deepEqual(notes, ['seen pages-05 patched', 'seen pages-12 made', 'gone pages-00 made']);
    });

    test('what changes while pages are read is reported once, by the watch', async (t) => {
      const { rest } = await client(t);
      for (const name of ['during-a', 'during-b', 'during-c', 'during-d']) await make(rest, name, 'made');
      const room = Promise.withResolvers<void>();
      const { notes, calls } = await reflected(t, 'during-', { pageSize: 1 }, { room: () => room.promise });
      await until('the watch runs', () => calls.some(({ verb }) => verb === 'watch'));
      const told = async (note: string, change: () => Promise<unknown>) => {
        await change();
        await until(note, () => notes.includes(note));
      };
      await told('seen during-z made', () => make(rest, 'during-z', 'made'));
      await told('seen during-c patched', () =>
        rest.mergePatch(configMaps, { namespace, name: 'during-c' }, { data: { step: 'patched' } }),
      );
      await told('gone during-d made', () => rest.delete(configMaps, { namespace, name: 'during-d' }));
      room.resolve();
      await until('the list is through', () => notes.includes('synced'));
      const once = ['seen during-a made', 'seen during-b made', 'seen during-z made'];
      assert.deepEqual(
        notes.toSorted(),
        [...once, 'gone during-d made', 'seen during-c patched', 'synced'].toSorted(),
      );
    });

    for (const [fault, break_] of [
      ['cut', () => relay.cut()],
      ['dead', () => relay.stall()],
    ] as const) {
      test(`a watch whose line is ${fault} is resumed, and nothing is lost or listed again`, async (t) => {
        const { rest } = await client(t);
        const { notes, calls } = await reflected(t, `${fault}-`, { silence: 2_500 });
        await until('the list is through', () => notes.includes('synced'));
        await make(rest, `${fault}-a`, 'made');
        await until('the first is told', () => notes.includes(`seen ${fault}-a made`));
        break_();
        const other = await client(t);
        await make(other.rest, `${fault}-b`, 'made');
        await until('the second is told', () => notes.includes(`seen ${fault}-b made`));
        assert.deepEqual(notes, ['synced', `seen ${fault}-a made`, `seen ${fault}-b made`]);
        assert.equal(calls.filter(({ verb }) => verb === 'list').length, 1);
      });
    }

    test('server-side apply gives metadata back, keeps to the uid, and conflicts when the object is gone', async (t) => {
      const { rest } = await client(t);
      const name = { namespace, name: 'applied' };
      const made = await rest.create(taskRuns, namespace, {
        apiVersion: 'tekton.dev/v1',
        kind: 'TaskRun',
        metadata: { name: name.name },
        spec: { serviceAccountName: 'x' },
      });
      const uid = at(made, 'metadata', 'uid') ?? null;
      const body = {
        apiVersion: 'tekton.dev/v1',
        kind: 'TaskRun',
        metadata: { uid, annotations: { 'chains.tekton.dev/signed': 'true' } },
      };
      const applied = await rest.apply(taskRuns, name, body);
      assert.equal(applied['kind'], 'PartialObjectMetadata');
      assert.equal(applied['spec'], undefined);
      assert.equal(at(applied, 'metadata', 'annotations', 'chains.tekton.dev/signed'), 'true');
      const old = {
        ...body,
        metadata: { ...body.metadata, resourceVersion: at(made, 'metadata', 'resourceVersion') },
      };
      await assert.rejects(rest.apply(taskRuns, name, old), { code: 'CLUSTER_CONFLICT', status: 409 });
      await rest.delete(taskRuns, name);
      await assert.rejects(rest.apply(taskRuns, name, body), { code: 'CLUSTER_CONFLICT', status: 409 });
      await assert.rejects(rest.get(taskRuns, name), isNotFound);
    });

    test("what exists, what is forbidden and what is invalid are refused with the server's reason", async (t) => {
      const { rest } = await client(t);
      await make(rest, 'twice', 'made');
      await assert.rejects(make(rest, 'twice', 'made'), {
        code: 'CLUSTER_CONFLICT',
        message: 'create configmaps in tekton-chains: 409 configmaps "twice" already exists',
      });
      await assert.rejects(make(rest, 'Not Valid', 'made'), { code: 'CLUSTER_REFUSED', status: 422 });
      const stranger = await client(t, 'wrong-token');
      await assert.rejects(stranger.rest.get(configMaps, { namespace, name: 'twice' }), {
        code: 'CLUSTER_REFUSED',
        status: 401,
        message: /Unauthorized/,
      });
    });

    test('a list of metadata only has neither spec nor data', async (t) => {
      const { rest } = await client(t);
      await make(rest, 'bare', 'made');
      const query = { namespace, fieldSelector: 'metadata.name=bare', metadataOnly: true };
      for await (const { items } of rest.pages(configMaps, query)) {
        assert.deepEqual(
          items.map((item) => [at(item, 'metadata', 'name'), item['data']]),
          [['bare', undefined]],
        );
      }
    });

    test('the versions of a resource are found', async (t) => {
      const { rest } = await client(t);
      assert.equal(await rest.serves({ group: 'tekton.dev', version: 'v1', plural: 'taskruns' }), true);
      assert.equal(await rest.serves({ group: '', version: 'v1', plural: 'configmaps' }), true);
      assert.equal(await rest.serves({ group: 'tekton.dev', version: 'v1', plural: 'nothing' }), false);
      assert.equal(await rest.serves({ group: 'nowhere.example', version: 'v1', plural: 'things' }), false);
    });

    test('an Event is written once', async (t) => {
      const { rest } = await client(t);
      const about = { apiVersion: 'tekton.dev/v1', kind: 'TaskRun', namespace, name: 'told', uid: 'u-1' };
      const event = { type: 'Warning', reason: 'SigningFailed', message: 'no key' } as const;
      await recordEvent(rest, about, event);
      await recordEvent(rest, about, event);
      const query = { namespace, fieldSelector: 'involvedObject.name=told' };
      for await (const { items } of rest.pages(events, query)) {
        assert.deepEqual(
          items.map((item) => [item['reason'], item['message'], item['count']]),
          [['SigningFailed', 'no key', 1]],
        );
      }
    });
  });
}

async function until(what: string, condition: () => boolean): Promise<void> {
  const end = Date.now() + longestWait;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`waited in vain until: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
