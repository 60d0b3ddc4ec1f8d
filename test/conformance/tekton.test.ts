import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explain, type Explanation } from '../../src/index.ts';
import { at, type Json, type JsonObject, listAt, member, textIn } from '../../src/json.ts';
import { linesOf, objectsOf, textOf } from './cases.ts';

/** Runs that Tekton 1.15 itself wrote, as test/servers/record-tekton.ts recorded them. */
interface Recorded {
  readonly run: JsonObject;
  readonly taskRuns: readonly JsonObject[];
}

const recorded: ReadonlyMap<string, Recorded> = new Map(
  linesOf('tekton.jsonl').map((line) => {
    const [run] = objectsOf([member(line, 'run') ?? null]);
    if (run === undefined) throw new Error(`${textOf(line, 'name')} is no run`);
    return [textOf(line, 'name'), { run, taskRuns: objectsOf(member(line, 'taskRuns')) }];
  }),
);

function recordedAs(name: string): Recorded {
  const found = recorded.get(name);
  assert.ok(found !== undefined, `${name} was not recorded`);
  return found;
}

/** What is made of a recorded run in this format, with the results of its TaskRuns. */
function explained(name: string, format = 'slsa/v2alpha4'): Promise<Explanation> {
  const { run, taskRuns } = recordedAs(name);
  const config = {
    'artifacts.taskrun.format': format,
    'artifacts.pipelinerun.format': format,
    'artifacts.pipelinerun.enable-deep-inspection': 'true',
  };
  return explain({ run, taskRuns, config });
}

const payloadOf = ({ artifacts }: Explanation): Json | undefined => artifacts[0]?.payload;
const subjects = (explanation: Explanation): readonly string[] =>
  listAt(payloadOf(explanation), 'subject').map((subject) => textIn(at(subject, 'name')));
const images = ({ artifacts }: Explanation): readonly string[] =>
  artifacts.flatMap(({ kind, name }) => (kind === 'oci' ? [name.replace(/@.*/, '')] : []));
const dependencies = (explanation: Explanation): readonly string[] =>
  listAt(payloadOf(explanation), 'predicate', 'buildDefinition', 'resolvedDependencies').map((dependency) =>
    textIn(at(dependency, 'uri')),
  );
const messages = ({ problems }: Explanation): string => problems.map(({ message }) => message).join('\n');

for (const [name, { run, taskRuns }] of recorded) {
  test(`the status of ${name} comes through as Tekton wrote it, and each format has a payload`, async () => {
    assert.deepEqual(payloadOf(await explained(name, 'tekton')), run['status']);
    for (const format of ['in-toto', 'slsa/v1', 'slsa/v2alpha3', 'slsa/v2alpha4']) {
      const { artifacts, decision } = await explained(name, format);
      assert.deepEqual(
        artifacts.map(({ error }) => error),
        artifacts.map(() => null),
      );
      // The TaskRuns of a PipelineRun were recorded without our marks: it would wait for them.
      assert.equal(decision.action, taskRuns.length > 0 ? 'wait' : 'sign');
    }
  });
}

test('artifacts: what a step reports in files of its own is no subject and no material', async () => {
  const explanation = await explained('artifacts');
  assert.deepEqual([subjects(explanation), images(explanation), messages(explanation)], [[], [], '']);
  assert.deepEqual(dependencies(explanation), ['oci://registry.example/tools/push']);
});

test('step-action: the results of its step count where the task makes them its own', async () => {
  const explanation = await explained('step-action');
  assert.deepEqual(images(explanation), ['registry.example/team/step']);
  assert.deepEqual(subjects(explanation), ['registry.example/team/step']);
  const [step] = listAt(recordedAs('step-action').run, 'status', 'taskSpec', 'steps');
  assert.equal(at(step, 'ref'), undefined, 'Tekton puts the step in the place of the reference to it');
});

test('ignored-failure: a step that failed, and was ignored, is a step like others', async () => {
  const { run } = recordedAs('ignored-failure');
  const [bad] = listAt(run, 'status', 'steps');
  const terminated = at(bad, 'terminated');
  assert.deepEqual([at(terminated, 'exitCode'), at(terminated, 'reason')], [3, 'Completed']);
  assert.deepEqual(dependencies(await explained('ignored-failure')), ['oci://registry.example/tools/check']);
  const steps = listAt(
    payloadOf(await explained('ignored-failure', 'in-toto')),
    'predicate',
    'buildConfig',
    'steps',
  );
  assert.equal(steps.length, 2);
});

test('failed: what a run had built before it failed is signed', async () => {
  assert.deepEqual(images(await explained('failed')), ['registry.example/team/failed']);
});

test('retried: the results of the last try count, and only once', async () => {
  const { run } = recordedAs('retried');
  assert.equal(listAt(run, 'status', 'retriesStatus').length, 1);
  const explanation = await explained('retried');
  assert.deepEqual(images(explanation), ['registry.example/team/flaky']);
  assert.equal(messages(explanation), '');
});

test('no-such-task: a run that never had a pod has provenance without steps and materials', async () => {
  const explanation = await explained('no-such-task');
  assert.deepEqual([dependencies(explanation), messages(explanation)], [[], '']);
});

test('release: the steps of all its TaskRuns are dependencies; what was skipped has none', async () => {
  const explanation = await explained('release');
  assert.deepEqual(subjects(explanation), ['registry.example/team/release']);
  assert.deepEqual([...new Set(dependencies(explanation))].toSorted(), [
    'git+https://git.example/team/app.git',
    'oci://registry.example/tools/check',
    'oci://registry.example/tools/git',
    'oci://registry.example/tools/push',
    'oci://registry.example/tools/say',
  ]);
  assert.equal(messages(explanation), '');
});

test('matrix: each of the TaskRuns of one task counts', async () => {
  const explanation = await explained('matrix');
  assert.deepEqual(subjects(explanation).toSorted(), [
    'registry.example/team/m1',
    'registry.example/team/m2',
  ]);
});

test('custom: a custom task is left out, and said to be', async () => {
  const explanation = await explained('custom');
  assert.match(messages(explanation), /^CustomRun "custom-approve" is left out of the provenance: .*$/);
  assert.deepEqual(dependencies(explanation), ['oci://registry.example/tools/say']);
});

test('pipeline-stopped: the task that was cancelled and the one that ran at last are both in it', async () => {
  assert.deepEqual(dependencies(await explained('pipeline-stopped')).toSorted(), [
    'oci://registry.example/tools/say',
    'oci://registry.example/tools/wait',
  ]);
});
