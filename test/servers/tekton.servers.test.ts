import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { runExplain } from '../../src/cli/commands/explain.ts';
import { type Explanation, verify } from '../../src/index.ts';
import { at, type Json, type JsonObject, listAt, objectIn, textIn } from '../../src/json.ts';
import type { RunKind } from '../../src/model/run.ts';
import { ended, eventually, itemsAt, mark, runsPath, type World } from '../integration/world.ts';
import { catalogue, children, type Expected, release } from './tekton-catalogue.ts';
import { openTektonWorld, type TektonWorld } from './tekton-world.ts';

const kinds: readonly RunKind[] = ['TaskRun', 'PipelineRun'];

/** The spec of a TaskRun whose step does this. */
const doing = (command: 'write' | 'stay'): JsonObject => ({
  taskSpec: { steps: [{ name: 'work', image: 'registry.example/tools/work', command: [command] }] },
});

describe('runs that Tekton itself writes', () => {
  let tekton: TektonWorld;
  let world: World;
  before(async () => {
    tekton = await openTektonWorld();
    ({ world } = tekton);
    await tekton.createCatalogue();
  });
  after(() => tekton?.close());

  const held = (name: string, kind: RunKind = 'TaskRun'): Promise<JsonObject> =>
    eventually(`${name} is held`, async () => {
      const run = await world.run(name, kind);
      return listAt(run, 'metadata', 'finalizers').length > 0 ? run : undefined;
    });
  const gone = (name: string, kind: RunKind = 'TaskRun'): Promise<true> =>
    eventually(`${name} is gone`, async () =>
      (await world.run(name, kind)) === undefined ? true : undefined,
    );
  const remove = async (name: string, kind: RunKind = 'TaskRun', policy = 'Background'): Promise<void> => {
    const { status } = await world.call('DELETE', `${runsPath(kind)}/${name}`, { propagationPolicy: policy });
    assert.equal(status, 200);
  };
  /** Says with a failure what Tekton and the controller have said. */
  const telling = async (work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      throw new Error(`${String(error)}\n${tekton.said()}`, { cause: error });
    }
  };

  /** What a person sees who asks about the run in the cluster. */
  async function explained(name: string, kind: RunKind): Promise<Explanation> {
    const lines: string[] = [];
    const where = {
      kubeconfig: world.kubeconfigFile,
      namespace: 'default',
      systemNamespace: 'tekton-chains',
    };
    const options = { ...where, file: [], output: 'json' } as const;
    await runExplain([`${kind}/${name}`], options, (text) => lines.push(text));
    return JSON.parse(lines.join(''));
  }

  /** The run is signed and let go, the signatures verify, and what was signed is what `explain` says. */
  async function assertSigned(run: JsonObject, kind: RunKind): Promise<Explanation> {
    const name = textIn(at(run, 'metadata', 'name'));
    assert.equal(mark(run, 'signed'), 'true', mark(run, 'message'));
    assert.equal(at(run, 'metadata', 'finalizers'), undefined);
    const { verified, checks } = await verify({
      run,
      keys: [world.publicKey],
      taskRuns: await tekton.taskRunsOf(run),
    });
    assert.ok(verified, JSON.stringify(checks.filter(({ ok }) => !ok)));
    const explanation = await explained(name, kind);
    const stored = explanation.artifacts.map(({ storageKey }): Json => {
      const payload = mark(run, `payload-${storageKey}`);
      return payload === undefined ? null : JSON.parse(Buffer.from(payload, 'base64').toString());
    });
    assert.deepEqual(
      stored,
      explanation.artifacts.map(({ payload }) => payload),
    );
    assert.equal(signatures(run).length, explanation.artifacts.length);
    return explanation;
  }

  const signatures = (run: unknown): readonly string[] =>
    Object.keys(objectIn(at(run, 'metadata', 'annotations'))).filter((key) => /\/signature-/.test(key));

  function assertExpected(run: JsonObject, { artifacts }: Explanation, expected: Expected): void {
    const [condition] = listAt(run, 'status', 'conditions');
    assert.equal(at(condition, 'reason'), expected.reason, textIn(at(condition, 'message')));
    const [own] = artifacts.filter(({ kind }) => kind !== 'oci');
    const { built = [] } = expected;
    const subjects = listAt(own?.payload, 'subject').map(
      (subject) => `${textIn(at(subject, 'name'))} ${textIn(at(subject, 'digest', 'sha256')).slice(0, 4)}`,
    );
    assert.deepEqual(subjects.toSorted(), built);
    const images = artifacts.filter(({ kind }) => kind === 'oci').map(({ name }) => name);
    assert.deepEqual(
      images.map((name) => name.replace(/@sha256:(.{4}).*/, ' $1')).toSorted(),
      at(run, 'kind') === 'TaskRun' ? built : [],
    );
    assert.match(JSON.stringify(own?.payload), expected.provenance ?? /"predicateType"/);
    assert.match(mark(run, 'message') ?? '', expected.message ?? /^$/);
  }

  for (const kind of kinds) {
    for (const [name, expected] of Object.entries(catalogue[kind])) {
      it(`${kind} ${name}: ${expected.reason}, and signed`, () =>
        telling(async () => {
          const run = await ended(world, name, kind);
          assertExpected(run, await assertSigned(run, kind), expected);
        }));
    }
  }

  it('the TaskRuns of PipelineRuns are signed too, and there are no others', () =>
    telling(async () => {
      for (const name of children) await assertSigned(await ended(world, name), 'TaskRun');
      const all = (await itemsAt(world, runsPath())).map((run) => textIn(at(run, 'metadata', 'name')));
      assert.deepEqual(all.toSorted(), [...children, ...Object.keys(catalogue.TaskRun)].toSorted());
    }));

  for (const kind of kinds) {
    const [word, resource] = [kind.toLowerCase(), `${kind.toLowerCase()}s`];

    it(`each ${kind} is signed once, for two calls, and Tekton and we hardly ever meet`, (context) =>
      telling(async () => {
        const runs = await itemsAt(world, runsPath(kind));
        const applied = (status: number): Promise<number> =>
          tekton.metric(
            'chains_api_calls_total',
            `verb="apply",resource="${resource}.tekton.dev",status="${status}"`,
          );
        assert.equal(await tekton.metric(`watcher_${word}_marked_signed_total`), runs.length);
        assert.equal(
          await tekton.metric(`watcher_${word}_sign_created_total`),
          runs.flatMap(signatures).length,
        );
        const brief = Object.values(catalogue[kind]).filter(({ isBrief = false }) => isBrief);
        const calls = await applied(200);
        // What ends before it is held costs one call less.
        assert.ok(calls <= 2 * runs.length && calls >= 2 * runs.length - brief.length, `${calls} calls`);
        // Whoever writes on a run at the same moment loses one call, and makes it again.
        const refused = await applied(409);
        context.diagnostic(`${calls} calls for ${runs.length} runs, and ${refused} that failed with 409`);
        assert.ok(refused <= runs.length / 8, `${refused} calls for ${runs.length} runs failed with 409`);
      }));
  }

  it('a run that is deleted after it was signed is gone', () =>
    telling(async () => {
      await remove('referenced');
      await gone('referenced');
    }));

  for (const [policy, name] of [
    ['Background', 'release'],
    ['Foreground', 'release-beta'],
  ] as const) {
    it(`a PipelineRun that is deleted goes with its TaskRuns and their pods (${policy})`, () =>
      telling(async () => {
        await remove(name, 'PipelineRun', policy);
        await gone(name, 'PipelineRun');
        for (const task of release) await gone(`${name}-${task}`);
        await eventually(`the pods of ${name} are gone`, async () => {
          const pods = await itemsAt(world, '/api/v1/namespaces/default/pods');
          const labels = pods.map((pod) => at(pod, 'metadata', 'labels', 'tekton.dev/pipelineRun'));
          return labels.includes(name) ? undefined : true;
        });
      }));
  }

  it('a run that ends, and is deleted before it is signed, is signed and goes', () =>
    telling(async () => {
      await world.createRun('late', { spec: doing('write') });
      await held('late');
      tekton.controller.signal('SIGSTOP');
      await eventually('it ends', async () =>
        at(await world.run('late'), 'status', 'completionTime') === undefined ? undefined : true,
      );
      await remove('late');
      const signed = /"name":"late"[^}]*"message":"signed"/;
      assert.doesNotMatch(tekton.controller.log(), signed);
      tekton.controller.signal('SIGCONT');
      await gone('late');
      await eventually('the log says so', () => (signed.test(tekton.controller.log()) ? true : undefined));
    }));

  it('a run that is deleted at work is no longer Tekton’s: it goes unsigned when its grace is over', () =>
    telling(async () => {
      await world.createRun('pruned', { spec: { ...doing('stay'), timeout: '6s' } });
      await Promise.all([tekton.working('pruned'), held('pruned')]);
      await remove('pruned');
      await pause(6_500);
      const run = await world.run('pruned');
      assert.equal(at(listAt(run, 'status', 'conditions')[0], 'status'), 'Unknown', 'its time is over');
      await gone('pruned');
      assert.match(
        tekton.controller.log(),
        /"name":"pruned"[^}]*released: it is being deleted and cannot be signed/,
      );
    }));

  it('a PipelineRun that is deleted at work lets its TaskRun end and be signed, and goes with it', () =>
    telling(async () => {
      const pipelineSpec = { tasks: [{ name: 'work', ...doing('write') }] };
      await world.createRun('dropped', { kind: 'PipelineRun', spec: { pipelineSpec } });
      await Promise.all([held('dropped', 'PipelineRun'), held('dropped-work')]);
      await remove('dropped', 'PipelineRun');
      await gone('dropped', 'PipelineRun');
      await gone('dropped-work');
      assert.match(tekton.controller.log(), /"name":"dropped-work"[^}]*"message":"signed"/);
    }));

  it('a namespace that is deleted goes with the runs in it', () =>
    telling(async () => {
      await tekton.cluster.kubectl(['create', 'namespace', 'team']);
      await eventually('pods may be started there', () =>
        tekton.cluster.kubectl(['get', 'serviceaccount', 'default', '-n', 'team']).catch(() => undefined),
      );
      const metadata = { name: 'last', namespace: 'team' };
      const run = { apiVersion: 'tekton.dev/v1', kind: 'TaskRun', metadata, spec: doing('stay') };
      await tekton.cluster.kubectl(['create', '-f', '-'], JSON.stringify(run));
      const path = '/apis/tekton.dev/v1/namespaces/team/taskruns/last';
      await eventually('it is held', async () => {
        const { body } = await world.call('GET', path);
        return listAt(body, 'metadata', 'finalizers').length > 0 ? true : undefined;
      });
      await tekton.cluster.kubectl(['delete', 'namespace', 'team', '--timeout=30s']);
      assert.equal((await world.call('GET', path)).status, 404);
    }));

  it('nothing that is left has a finalizer', () =>
    telling(async () => {
      for (const kind of kinds) {
        for (const run of await itemsAt(world, runsPath(kind)))
          assert.equal(at(run, 'metadata', 'finalizers'), undefined);
      }
    }));
});
