import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../src/json.ts';
import { pipelineRunAsV1, taskRunAsV1 } from '../../src/tekton/v1beta1.ts';

const apiVersion = 'tekton.dev/v1beta1';
const limits = { limits: { cpu: '1' } };

/** What a field of a TaskRun of v1beta1 becomes; the rest of the object stays as it is. */
const taskRuns: Readonly<Record<string, readonly [JsonObject, JsonObject]>> = {
  'taskResults are results': [
    { status: { taskResults: [{ name: 'a', value: 'b' }, { name: 'c' }], podName: 'p' } },
    {
      status: {
        results: [
          { name: 'a', value: 'b' },
          { name: 'c', value: '' },
        ],
        podName: 'p',
      },
    },
  ],
  'resources of steps, sidecars and the step template are computeResources': [
    {
      status: {
        taskSpec: {
          steps: [{ name: 'a', resources: limits }],
          sidecars: [{ resources: limits }],
          stepTemplate: { resources: limits },
        },
      },
    },
    {
      status: {
        taskSpec: {
          steps: [{ name: 'a', computeResources: limits }],
          sidecars: [{ computeResources: limits }],
          stepTemplate: { computeResources: limits },
        },
      },
    },
  ],
  'overrides are specs, with computeResources': [
    {
      spec: {
        stepOverrides: [{ name: 'a', resources: limits }],
        sidecarOverrides: [{ name: 'b', resources: limits }],
      },
    },
    {
      spec: {
        stepSpecs: [{ name: 'a', computeResources: limits }],
        sidecarSpecs: [{ name: 'b', computeResources: limits }],
      },
    },
  ],
  'a param spec without type has the type string, a param without value the empty one': [
    {
      spec: {
        params: [{ name: 'a' }, { name: 'b', value: null }],
        taskSpec: { params: [{ name: 'c' }, { name: 'd', type: 'array' }] },
      },
    },
    {
      spec: {
        params: [
          { name: 'a', value: '' },
          { name: 'b', value: null },
        ],
        taskSpec: {
          params: [
            { name: 'c', type: 'string' },
            { name: 'd', type: 'array' },
          ],
        },
      },
    },
  ],
  "a step's terminationReason is the reason of its end": [
    {
      status: {
        steps: [
          { name: 'a', terminated: { reason: 'Completed' } },
          { name: 'b', terminationReason: 'x' },
        ],
      },
    },
    {
      status: {
        steps: [
          { name: 'a', terminated: { reason: 'Completed' }, terminationReason: 'Completed' },
          { name: 'b', terminationReason: null },
        ],
      },
    },
  ],
  'earlier tries are changed likewise': [
    { status: { retriesStatus: [{ taskResults: [{ name: 'a' }] }] } },
    { status: { retriesStatus: [{ results: [{ name: 'a', value: '' }] }] } },
  ],
  'members that every object inherits are none of the renamed ones': [
    { spec: { stepOverrides: [{ constructor: 'x', toString: 'y' }] } },
    { spec: { stepSpecs: [{ constructor: 'x', toString: 'y' }] } },
  ],
  'what has another type than expected stays, to be refused where it is read': [
    { spec: 'x', status: { taskResults: 5, steps: {} } },
    { spec: 'x', status: { results: 5, steps: {} } },
  ],
};

for (const [name, [given, expected]] of Object.entries(taskRuns)) {
  test(`v1beta1 TaskRun: ${name}`, () => {
    assert.deepEqual(taskRunAsV1({ apiVersion, ...given }), { apiVersion: 'tekton.dev/v1', ...expected });
  });
}

const pipelineRuns: Readonly<Record<string, readonly [JsonObject, JsonObject]>> = {
  'account and pod template go into taskRunTemplate, the timeout into timeouts': [
    { spec: { serviceAccountName: 'sa', podTemplate: { hostNetwork: true }, timeout: '1h', status: 's' } },
    {
      spec: {
        taskRunTemplate: { serviceAccountName: 'sa', podTemplate: { hostNetwork: true } },
        timeouts: { pipeline: '1h' },
        status: 's',
      },
    },
  ],
  'a timeout takes the place of all timeouts, and null is none': [
    { spec: { timeout: null, timeouts: { tasks: '1m' } } },
    { spec: { taskRunTemplate: {}, timeouts: { tasks: '1m' } } },
  ],
  'pipelines inside of pipelines are changed, too': [
    {
      status: {
        pipelineSpec: {
          tasks: [{ pipelineRef: { params: [{ name: 'a' }] }, pipelineSpec: { params: [{ name: 'b' }] } }],
        },
      },
    },
    {
      status: {
        pipelineSpec: {
          tasks: [
            {
              pipelineRef: { params: [{ name: 'a', value: '' }] },
              pipelineSpec: { params: [{ name: 'b', type: 'string' }] },
            },
          ],
        },
      },
    },
  ],
  'pipelineResults are results': [
    { status: { pipelineResults: [{ name: 'a', value: 'b' }] } },
    { status: { results: [{ name: 'a', value: 'b' }] } },
  ],
  'task run specs lose the word task': [
    {
      spec: { taskRunSpecs: [{ pipelineTaskName: 'a', taskServiceAccountName: 'sa', taskPodTemplate: {} }] },
    },
    {
      spec: {
        taskRunTemplate: {},
        taskRunSpecs: [{ pipelineTaskName: 'a', serviceAccountName: 'sa', podTemplate: {} }],
      },
    },
  ],
  'tasks are changed wherever they are embedded': [
    {
      status: {
        pipelineSpec: { tasks: [{ taskSpec: { steps: [{ resources: limits }] }, params: [{ name: 'a' }] }] },
      },
    },
    {
      status: {
        pipelineSpec: {
          tasks: [
            { taskSpec: { steps: [{ computeResources: limits }] }, params: [{ name: 'a', value: '' }] },
          ],
        },
      },
    },
  ],
};

for (const [name, [given, expected]] of Object.entries(pipelineRuns)) {
  test(`v1beta1 PipelineRun: ${name}`, () => {
    assert.deepEqual(pipelineRunAsV1({ apiVersion, ...given }), { apiVersion: 'tekton.dev/v1', ...expected });
  });
}

test('v1 is left alone, but for results under their old name', () => {
  const v1 = { apiVersion: 'tekton.dev/v1', spec: { timeout: '1h', stepOverrides: [] } };
  assert.deepEqual(taskRunAsV1(v1), v1);
  assert.deepEqual(pipelineRunAsV1(v1), v1);
  const unconverted = { apiVersion: 'tekton.dev/v1', status: { taskResults: [], pipelineResults: [] } };
  assert.deepEqual(taskRunAsV1(unconverted).status, { taskResults: [], pipelineResults: [], results: [] });
  assert.deepEqual(pipelineRunAsV1(unconverted).status, {
    taskResults: [],
    pipelineResults: [],
    results: [],
  });
});
