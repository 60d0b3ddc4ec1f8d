import assert from 'node:assert/strict';
import { createPublicKey, verify } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { runExplain } from '../../src/cli/commands/explain.ts';
import type { Controller } from '../../src/controller/index.ts';
import { preAuthEncoding } from '../../src/keys/dsse.ts';
import { at, type JsonObject } from '../../src/json.ts';
import {
  callsOnRuns,
  doneStatus,
  ended,
  eventually,
  mark,
  openWorld,
  runningStatus,
  succeeded,
  type TestCluster,
  type World,
} from './world.ts';

const imageID = `gcr.io/tools/builder@sha256:${'b'.repeat(64)}`;

/** The status of a TaskRun that ran one step in `imageID`. */
const ranStatus: JsonObject = {
  ...doneStatus,
  steps: [{ name: 'build', container: 'step-build', imageID }],
  taskSpec: { steps: [{ name: 'build', image: 'gcr.io/tools/builder' }] },
};

/** The status of a PipelineRun with these tasks, each run by the TaskRun of that name. */
function pipelineStatus(tasks: readonly string[], more: JsonObject = {}): JsonObject {
  return {
    ...doneStatus,
    pipelineSpec: { tasks: tasks.map((name) => ({ name, taskRef: { name: 'build' } })) },
    childReferences: tasks.map((name) => ({ kind: 'TaskRun', name, pipelineTaskName: name })),
    ...more,
  };
}

const labels = (pipelineRun: string, task: string) => ({
  'tekton.dev/pipelineRun': pipelineRun,
  'tekton.dev/pipelineTask': task,
});

/** What the controller does with PipelineRuns and their TaskRuns, on any cluster. */
export function pipelineRunsSuite(name: string, start: () => Promise<TestCluster>): void {
  describe(`PipelineRuns on ${name}`, () => {
    let world: World;
    let controller: Controller;
    before(async () => {
      world = await openWorld(await start());
      await world.configure({ 'artifacts.oci.storage': 'tekton', 'signing.deletion-grace': '2s' });
      controller = await world.startController();
    });
    after(() => world.close());

    const createTaskRun = async (pipelineRun: string, task: string, status: unknown) =>
      world.createRun(task, {
        metadata: { labels: labels(pipelineRun, task), ...(await world.ownedBy(pipelineRun)) },
        status,
      });
    /** Creates a PipelineRun, unless it is there for its TaskRuns to belong to. */
    const createPipelineRun = async (pipelineRun: string, status: unknown) => {
      await world.ownedBy(pipelineRun);
      if (status !== undefined) await world.writeStatus(pipelineRun, status, 'v1', 'PipelineRun');
    };
    const endedPipelineRun = (pipelineRun: string) => ended(world, pipelineRun, 'PipelineRun');

    /** The statement that a PipelineRun was signed with, after its envelope has been verified. */
    function statementOf(run: JsonObject): JsonObject {
      const key = `pipelinerun-${String(at(run, 'metadata', 'uid'))}`;
      const stored = (part: string) => Buffer.from(mark(run, `${part}-${key}`) ?? '', 'base64');
      const payload = stored('payload');
      const { payloadType, payload: enclosed, signatures } = JSON.parse(stored('signature').toString());
      assert.equal(payloadType, 'application/vnd.in-toto+json');
      assert.ok(payload.equals(Buffer.from(enclosed, 'base64')));
      const signature = Buffer.from(signatures[0].sig, 'base64');
      const message = preAuthEncoding(payloadType, payload);
      assert.ok(verify('sha256', message, createPublicKey(world.publicKey), signature));
      return JSON.parse(payload.toString());
    }

    it('signs provenance with what the TaskRuns did', async () => {
      await createTaskRun('whole', 'whole-a', ranStatus);
      await createPipelineRun('whole', pipelineStatus(['whole-a']));
      const run = await endedPipelineRun('whole');
      assert.equal(mark(run, 'signed'), 'true');
      assert.equal(mark(run, 'message'), undefined);
      const statement = statementOf(run);
      assert.deepEqual(at(statement, 'predicate', 'materials'), [
        { uri: 'oci://gcr.io/tools/builder', digest: { sha256: 'b'.repeat(64) } },
      ]);
    });

    it('waits until each TaskRun is marked, and is woken by the last mark', async () => {
      await createTaskRun('waits', 'waits-a', ranStatus);
      await createTaskRun('waits', 'waits-b', runningStatus);
      await createPipelineRun('waits', pipelineStatus(['waits-a', 'waits-b']));
      await ended(world, 'waits-a');
      await createTaskRun('other', 'other-a', ranStatus);
      await ended(world, 'other-a');
      assert.equal(mark(await world.run('waits', 'PipelineRun'), 'signed'), undefined);
      await world.writeStatus('waits-b', ranStatus);
      const tasks = at(statementOf(await endedPipelineRun('waits')), 'predicate', 'buildConfig', 'tasks');
      assert.equal(Array.isArray(tasks) && tasks.length, 2);
    });

    it('explains of a live PipelineRun which TaskRun it waits for', async () => {
      await createTaskRun('explained', 'explained-a', runningStatus);
      await createPipelineRun('explained', pipelineStatus(['explained-a']));
      let out = '';
      const options = { file: [], systemNamespace: 'tekton-chains', kubeconfig: world.kubeconfigFile };
      const write = (text: string) => (out += text);
      await runExplain(['pr/explained'], { ...options, namespace: 'default', output: 'text' }, write);
      assert.match(out, /wait: it waits until its TaskRuns are signed: explained-a/);
      const missing = runExplain(['taskrun/nowhere'], { ...options, output: 'text' }, write);
      await assert.rejects(missing, {
        code: 'USAGE',
        message: /there is no taskrun nowhere in the namespace/,
      });
    });

    it('is not held up by a TaskRun that goes unsigned', async () => {
      await createTaskRun('gone', 'gone-a', runningStatus);
      await createPipelineRun('gone', pipelineStatus(['gone-a']));
      await eventually('the finalizer of the TaskRun', async () =>
        at(await world.run('gone-a'), 'metadata', 'finalizers'),
      );
      await world.call('DELETE', '/apis/tekton.dev/v1/namespaces/default/taskruns/gone-a');
      const run = await endedPipelineRun('gone');
      assert.match(mark(run, 'message') ?? '', /TaskRun "gone-a" is left out of the provenance/);
    });

    it('costs one list of TaskRuns and two calls for itself', async () => {
      await controller.stop();
      // The sweep over marked TaskRuns lists too: not during this test.
      controller = await world.startController({
        pace: { sweep: { beforePage: 600_000, pageSize: 50, between: 600_000 } },
      });
      const atStart = await callsOnRuns(controller, 'pipelineruns');
      await createTaskRun('calls', 'calls-a', ranStatus);
      await ended(world, 'calls-a');
      // Its mark is seen before the answer to the write is: until then it is in hand, and would be waited for.
      await pause(1_000);
      const before = {
        own: await callsOnRuns(controller, 'pipelineruns'),
        lists: await callsOnRuns(controller),
      };
      await createPipelineRun('calls', undefined);
      await eventually('the finalizer', async () =>
        at(await world.run('calls', 'PipelineRun'), 'metadata', 'finalizers'),
      );
      await world.writeStatus('calls', pipelineStatus(['calls-a']), 'v1', 'PipelineRun');
      await endedPipelineRun('calls');
      const after = await callsOnRuns(controller, 'pipelineruns');
      const lists = await callsOnRuns(controller);
      assert.equal((after['apply'] ?? 0) - (atStart['apply'] ?? 0), 2);
      assert.equal((after['get'] ?? 0) - (before.own['get'] ?? 0), 0);
      assert.equal((lists['list'] ?? 0) - (before.lists['list'] ?? 0), 1);
      await controller.stop();
      controller = await world.startController();
    });

    it('leaves out children that are gone or no TaskRuns, and says so', async () => {
      const childReferences = [
        { kind: 'TaskRun', name: 'never-there' },
        { kind: 'CustomRun', name: 'approval' },
      ];
      await createPipelineRun('childless', pipelineStatus(['a'], { childReferences }));
      const run = await endedPipelineRun('childless');
      assert.equal(mark(run, 'signed'), 'true');
      const message = mark(run, 'message') ?? '';
      assert.match(message, /TaskRun "never-there" is left out of the provenance: it is gone/);
      assert.match(message, /CustomRun "approval" is left out of the provenance: it is not a TaskRun/);
    });

    it('finds a TaskRun that lost its label by its name', async () => {
      const metadata = {
        labels: { 'tekton.dev/pipelineTask': 'unlabelled-a' },
        ...(await world.ownedBy('unlabelled')),
      };
      await world.createRun('unlabelled-a', { metadata, status: ranStatus });
      await createPipelineRun('unlabelled', pipelineStatus(['unlabelled-a']));
      const run = await endedPipelineRun('unlabelled');
      assert.equal(mark(run, 'message'), undefined);
      assert.ok(at(statementOf(run), 'predicate', 'materials') !== undefined);
    });

    it('leaves out a TaskRun that bears its labels and its name, but is not its own', async () => {
      const images = { ...ranStatus, results: [{ name: 'IMAGES', value: 'gcr.io/evil/app@sha256:0' }] };
      const owner = await world.ownedBy('foreign-owner');
      await world.createRun('foreign-a', {
        metadata: { labels: labels('foreign', 'foreign-a') },
        status: images,
      });
      await world.createRun('foreign-b', {
        metadata: { labels: labels('foreign', 'foreign-b'), ...owner },
        status: images,
      });
      await createPipelineRun('foreign', pipelineStatus(['foreign-a', 'foreign-b']));
      const run = await endedPipelineRun('foreign');
      assert.match(mark(run, 'message') ?? '', /"foreign-a" is left out of the provenance: it is gone/);
      assert.match(mark(run, 'message') ?? '', /"foreign-b" is left out of the provenance: it is gone/);
      assert.equal(at(statementOf(run), 'predicate', 'materials'), undefined);
    });

    it('takes the mark of another Chains on a TaskRun for an end', async () => {
      const annotations = { 'chains.tekton.dev/signed': 'true' };
      const metadata = {
        labels: labels('elsewhere', 'elsewhere-a'),
        annotations,
        ...(await world.ownedBy('elsewhere')),
      };
      await world.createRun('elsewhere-a', { metadata, status: ranStatus });
      await createPipelineRun('elsewhere', pipelineStatus(['elsewhere-a']));
      assert.equal(mark(await endedPipelineRun('elsewhere'), 'signed'), 'true');
    });

    it('lists the TaskRuns of a matrix or a retry in the order of the references', async () => {
      const childReferences = ['m-2', 'm-0', 'm-1'].map((child) => ({ kind: 'TaskRun', name: child }));
      for (const child of ['m-0', 'm-1', 'm-2']) {
        const params = [{ name: 'n', value: child }];
        await world.createRun(child, {
          metadata: { labels: labels('matrix', 'm'), ...(await world.ownedBy('matrix')) },
          spec: { params },
          status: ranStatus,
        });
      }
      await createPipelineRun('matrix', pipelineStatus(['m'], { childReferences }));
      const tasks = at(statementOf(await endedPipelineRun('matrix')), 'predicate', 'buildConfig', 'tasks');
      const values = (Array.isArray(tasks) ? tasks : []).map((task) =>
        at(task, 'invocation', 'parameters', 'n'),
      );
      assert.deepEqual(values, ['m-2', 'm-0', 'm-1']);
    });

    it('lets a PipelineRun that is being deleted go when its grace ends, with what there is', async () => {
      await createTaskRun('deleted', 'deleted-a', runningStatus);
      await createPipelineRun('deleted', undefined);
      await eventually('the finalizer', async () =>
        at(await world.run('deleted', 'PipelineRun'), 'metadata', 'finalizers'),
      );
      await world.writeStatus('deleted', pipelineStatus(['deleted-a']), 'v1', 'PipelineRun');
      await world.call('DELETE', '/apis/tekton.dev/v1/namespaces/default/pipelineruns/deleted');
      await eventually('it is gone', async () =>
        (await world.run('deleted', 'PipelineRun')) === undefined ? true : undefined,
      );
    });

    it('reads v1beta1 as it stands', async () => {
      await createTaskRun('beta', 'beta-a', ranStatus);
      const value = `gcr.io/acme/app@sha256:${'c'.repeat(64)}`;
      const status = pipelineStatus(['beta-a'], { pipelineResults: [{ name: 'IMAGES', value }] });
      await world.writeStatus('beta', status, 'v1beta1', 'PipelineRun');
      const statement = statementOf(await endedPipelineRun('beta'));
      assert.deepEqual(at(statement, 'subject'), [
        { name: 'gcr.io/acme/app', digest: { sha256: 'c'.repeat(64) } },
      ]);
    });

    it('signs a PipelineRun that failed, too', async () => {
      const failed = { ...succeeded, status: 'False', reason: 'Failed' };
      await createPipelineRun('failed', pipelineStatus([], { conditions: [failed] }));
      assert.equal(mark(await endedPipelineRun('failed'), 'signed'), 'true');
    });
  });
}
