import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explain } from '../../src/index.ts';
import { at, type Json, type JsonObject } from '../../src/json.ts';
import { digest } from '../runs.ts';

const hex = digest('a').slice('sha256:'.length);

/** A TaskRun with these parts of its status. */
function run(status: JsonObject, more: JsonObject = {}): JsonObject {
  return {
    apiVersion: 'tekton.dev/v1beta1',
    kind: 'TaskRun',
    metadata: { namespace: 'ci', name: 'build', uid: 'uid-1' },
    status: { conditions: [{ type: 'Succeeded', status: 'True' }], ...status },
    ...more,
  };
}

/** The payload of the run itself in this format, and what else is told. */
async function payloadOf(
  object: JsonObject,
  format: string,
): Promise<{ payload: Json; problems: readonly string[]; error: string | null }> {
  const { artifacts, problems } = await explain({
    run: object,
    config: { 'artifacts.taskrun.format': format },
  });
  const [own] = artifacts;
  assert.ok(own !== undefined);
  return {
    payload: own.payload,
    error: own.error,
    problems: problems.map(({ at: where, message }) => `${where}: ${message}`),
  };
}

const resources = {
  taskSpec: {
    resources: {
      inputs: [
        { name: 'source', type: 'git' },
        { name: 'base', type: 'image' },
        { name: 'half', type: 'git' },
      ],
      outputs: [{ name: 'app', type: 'image' }],
    },
  },
  resourcesResult: [
    { resourceName: 'source', key: 'url', value: 'https://github.com/acme/app' },
    { resourceName: 'source', key: 'commit', value: 'abc' },
    { resourceName: 'base', key: 'url', value: 'gcr.io/acme/base' },
    { resourceName: 'base', key: 'digest', value: digest('a') },
    { resourceName: 'half', key: 'commit', value: 'def' },
    { resourceName: 'app', key: 'url', value: 'gcr.io/acme/app' },
    { resourceName: 'app', key: 'digest', value: digest('b') },
  ],
};

test('PipelineResources are subjects and materials', async () => {
  const { payload, problems } = await payloadOf(run(resources), 'slsa/v1');
  assert.deepEqual(at(payload, 'subject'), [{ name: 'gcr.io/acme/app', digest: { sha256: 'b'.repeat(64) } }]);
  assert.deepEqual(at(payload, 'predicate', 'materials'), [
    { uri: 'git+https://github.com/acme/app.git', digest: { sha1: 'abc' } },
    { uri: 'oci://gcr.io/acme/base', digest: { sha256: hex } },
  ]);
  assert.deepEqual(problems, [
    'status.resourcesResult[4]: the input "half" of type git has no url in status.resourcesResult; it needs both, a url and a commit',
  ]);
});

test('in v1.0 the dependencies from PipelineResources are called pipelineResource', async () => {
  const { payload } = await payloadOf(run(resources), 'slsa/v2alpha3');
  assert.deepEqual(at(payload, 'predicate', 'buildDefinition', 'resolvedDependencies'), [
    { name: 'pipelineResource', uri: 'git+https://github.com/acme/app.git', digest: { sha1: 'abc' } },
    { name: 'pipelineResource', uri: 'oci://gcr.io/acme/base', digest: { sha256: hex } },
  ]);
});

test('a wrong type anywhere in the run fails its provenance with the field, and not its images', async () => {
  const results = [{ name: 'IMAGES', value: `gcr.io/acme/app@${digest('a')}` }];
  const broken = run({ taskResults: results }, { spec: { podTemplate: { tolerations: [{ key: 5 }] } } });
  const { artifacts } = await explain({
    run: broken,
    config: { 'artifacts.taskrun.format': 'slsa/v2alpha4' },
  });
  assert.deepEqual(
    artifacts.map(({ kind, error }) => [kind, error]),
    [
      ['taskrun', 'spec.podTemplate.tolerations[0].key is not a string'],
      ['oci', null],
    ],
  );
});

test('a run that nests too deeply fails its provenance, and nothing else', async () => {
  const deep: Json = JSON.parse(`${'{"pipelineSpec":{"tasks":['.repeat(20_000)}${']}}'.repeat(20_000)}`);
  const pipelineRun = { ...run({}, { kind: 'PipelineRun' }), spec: { pipelineSpec: { tasks: [deep] } } };
  const { artifacts } = await explain({ run: pipelineRun, config: {} });
  assert.match(artifacts[0]?.error ?? '', /nests too deeply/);
});

test('the same run and configuration give the same bytes, whatever the order of its members', async () => {
  const labels = { b: '1', a: '2', '10': '3', '9': '4' };
  const one = run(resources, { metadata: { name: 'build', labels } });
  const other = JSON.parse(JSON.stringify(one), (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toReversed())
      : value,
  );
  for (const format of ['in-toto', 'slsa/v2alpha3', 'slsa/v2alpha4']) {
    const [first, second] = [await payloadOf(one, format), await payloadOf(other, format)];
    assert.equal(JSON.stringify(first.payload), JSON.stringify(second.payload), format);
  }
});

test('half a pair in the results of a step is reported in the one format that reads them', async () => {
  const steps = [
    { name: 's', imageID: `x@${digest('a')}`, results: [{ name: 'IMAGE_URL', value: 'gcr.io/a/b' }] },
  ];
  const problemsIn = async (format: string) => (await payloadOf(run({ steps }), format)).problems;
  assert.deepEqual(await problemsIn('slsa/v2alpha3'), []);
  assert.match(String(await problemsIn('slsa/v2alpha4')), /status\.steps\[0\]\.results\[0\]: half a pair/);
});

/** A PipelineRun of this pipeline with these TaskRuns, as their names and labels. */
async function pipelinePayload(
  tasks: JsonObject,
  taskRuns: readonly JsonObject[],
): Promise<{ payload: Json; error: string | null }> {
  const object = { ...run({ pipelineSpec: tasks }), apiVersion: 'tekton.dev/v1', kind: 'PipelineRun' };
  const { artifacts } = await explain({ run: object, taskRuns, config: {} });
  return { payload: artifacts[0]?.payload ?? null, error: artifacts[0]?.error ?? null };
}

const times = { startTime: '2026-01-01T10:00:00Z', completionTime: '2026-01-01T10:05:00Z', taskSpec: {} };
const ofTask = (task: string, status: JsonObject = {}): JsonObject => ({
  metadata: { name: `run-of-${task}`, labels: { 'tekton.dev/pipelineTask': task } },
  status: { ...times, ...status },
});

test('a task that no TaskRun ran is not written, so that nothing in it can fail', async () => {
  const tasks = [{ name: 't', taskRef: { name: 'x', params: [{ name: 'p' }] } }];
  assert.deepEqual(at((await pipelinePayload({ tasks }, [])).payload, 'predicate', 'buildConfig'), {
    tasks: [],
  });
  const { error } = await pipelinePayload({ tasks }, [ofTask('t')]);
  assert.equal(error, 'taskRef of t.params[0].value has no value');
});

test('digests that were merged into a source are shown for each task from it', async () => {
  const source = (digests: JsonObject) => ({ provenance: { refSource: { uri: 'u', digest: digests } } });
  const taskRuns = [ofTask('a', source({ sha1: 'e' })), ofTask('a', source({ sha1: 'e', md5: 'x' }))];
  const { payload } = await pipelinePayload({ tasks: [{ name: 'a' }, { name: 'a' }] }, taskRuns);
  const written = at(payload, 'predicate', 'buildConfig', 'tasks');
  const digests = (Array.isArray(written) ? written : []).map((task) =>
    at(task, 'invocation', 'configSource', 'digest'),
  );
  assert.deepEqual(
    digests,
    Array.from({ length: 4 }, () => ({ md5: 'x', sha1: 'e' })),
  );
});

test('a finally task comes after no task without a name', async () => {
  const { payload } = await pipelinePayload({ tasks: [{ name: '' }], finally: [{ name: 'f' }] }, [
    ofTask(''),
    ofTask('f'),
  ]);
  const written = at(payload, 'predicate', 'buildConfig', 'tasks');
  assert.deepEqual(
    (Array.isArray(written) ? written : []).map((task) => at(task, 'after')),
    [undefined, undefined],
  );
});

test('a value that is not a string is its JSON as an API server sends it, with its keys sorted', async () => {
  const params = [{ name: 'p', value: JSON.parse('{"9":2,"10":1,"a":[{"b":"<"}]}') }];
  const { payload } = await payloadOf(run({}, { spec: { params } }), 'in-toto');
  assert.equal(at(payload, 'predicate', 'invocation', 'parameters', 'p'), '{"10":1,"9":2,"a":[{"b":"<"}]}');
});

test('thousands of outputs of one name take no more than their number', async () => {
  const results = Array.from({ length: 20_000 }, (_, index) => ({
    name: `r${index}-ARTIFACT_OUTPUTS`,
    value: { uri: 'u', digest: `sha256:${String(index).padStart(64, '0')}` },
  }));
  const started = process.cpuUsage();
  const { payload } = await payloadOf(run({ results }), 'in-toto');
  const { user, system } = process.cpuUsage(started);
  const subject = at(payload, 'subject');
  assert.equal(Array.isArray(subject) && subject.length, 20_000);
  // Quadratic work takes a minute; this takes about a second.
  assert.ok(user + system < 20_000_000, `${user + system} µs`);
});

test('a value that should be a text and is not is an error or left out, and nothing throws', async () => {
  const odd = { toString: 1 };
  await explain({ run: run({}, { spec: { managedBy: odd } }), config: {} });
  await pipelinePayload({ tasks: [{ name: 'a' }] }, [{ metadata: { name: odd } }]);
  const deep: Json = JSON.parse(`${'{"f:a":'.repeat(50_000)}1${'}'.repeat(50_000)}`);
  const managedFields = [{ manager: 'm', fieldsV1: deep }];
  const child = {
    ...ofTask('a'),
    metadata: { name: 'a', labels: { 'tekton.dev/pipelineTask': 'a' }, managedFields },
  };
  const object = {
    ...run({ pipelineSpec: { tasks: [{ name: 'a' }] } }),
    kind: 'PipelineRun',
    apiVersion: 'tekton.dev/v1',
  };
  const config = {
    'artifacts.pipelinerun.format': 'slsa/v2alpha3',
    'builddefinition.buildtype': 'https://tekton.dev/chains/v2/slsa-tekton',
  };
  const { artifacts } = await explain({ run: object, taskRuns: [child], config });
  assert.match(artifacts[0]?.error ?? '', /nests too deeply/);
});
