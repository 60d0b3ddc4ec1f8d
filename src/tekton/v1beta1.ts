import { isJsonList, isJsonObject, type Json, type JsonObject, member } from '../json.ts';

/** Changes a value; what has not the expected type stays as it is, so that its reader refuses it. */
type Conversion = (value: Json) => Json;

const onObject =
  (change: (object: JsonObject) => JsonObject): Conversion =>
  (value) =>
    isJsonObject(value) ? change(value) : value;

const inTurn =
  (...changes: readonly Conversion[]): Conversion =>
  (value) =>
    changes.reduce((changed, change) => change(changed), value);

const each =
  (change: Conversion): Conversion =>
  (value) =>
    isJsonList(value) ? value.map((entry) => change(entry)) : value;

/** Changes those members that are there. */
const members = (changes: Readonly<Record<string, Conversion>>): Conversion =>
  onObject((object) =>
    Object.fromEntries(
      Object.entries(object).map(([key, value = null]) => {
        const change = Object.hasOwn(changes, key) ? changes[key] : undefined;
        return [key, change === undefined ? value : change(value)];
      }),
    ),
  );

/** Gives members new names; one that has the new name already is replaced. */
const renamed = (names: Readonly<Record<string, string>>): Conversion =>
  onObject((object) => {
    const replaced = Object.entries(names).flatMap(([old, name]) =>
      Object.hasOwn(object, old) ? [name] : [],
    );
    const kept = Object.entries(object).filter(([key]) => !replaced.includes(key));
    return Object.fromEntries(kept.map(([key, value]) => [names[key] ?? key, value]));
  });

const withDefault = (key: string, value: Json): Conversion =>
  onObject((object) => ({ ...object, [key]: object[key] === undefined ? value : object[key] }));

const container = renamed({ resources: 'computeResources' });
const params = each(withDefault('value', ''));
const results = params;
const paramSpecs = each(
  onObject((spec) => ({ ...spec, type: (spec['type'] ?? '') === '' ? 'string' : spec['type'] })),
);
const reference = members({ params });
const step = inTurn(container, members({ params, ref: reference }));
const overrides = inTurn(
  renamed({ stepOverrides: 'stepSpecs', sidecarOverrides: 'sidecarSpecs' }),
  members({ stepSpecs: each(container), sidecarSpecs: each(container) }),
);

const taskSpec = members({
  params: paramSpecs,
  steps: each(step),
  sidecars: each(container),
  stepTemplate: container,
});

const pipelineTask: Conversion = (task) =>
  members({
    params,
    taskRef: reference,
    taskSpec,
    matrix: members({ params, include: each(members({ params })) }),
    pipelineRef: reference,
    pipelineSpec,
  })(task);

const pipelineSpec = members({
  params: paramSpecs,
  results,
  tasks: each(pipelineTask),
  finally: each(pipelineTask),
});

const stepState = inTurn(
  onObject((state) => ({
    ...state,
    terminationReason: member(state['terminated'], 'reason') ?? null,
  })),
  members({ results }),
);

const taskRunStatus: Conversion = (value) =>
  inTurn(
    renamed({ taskResults: 'results' }),
    members({ results, taskSpec, steps: each(stepState), retriesStatus: each(taskRunStatus) }),
  )(value);

const taskRun = members({
  apiVersion: () => 'tekton.dev/v1',
  spec: inTurn(overrides, members({ params, taskRef: reference, taskSpec })),
  status: taskRunStatus,
});

const taskRunTemplate = onObject(({ serviceAccountName, podTemplate, ...spec }) => ({
  ...spec,
  taskRunTemplate: {
    ...(serviceAccountName === undefined ? {} : { serviceAccountName }),
    ...(podTemplate === undefined ? {} : { podTemplate }),
  },
}));

const timeouts = onObject(({ timeout, ...spec }) =>
  (timeout ?? null) === null ? spec : { ...spec, timeouts: { pipeline: timeout } },
);

const taskRunSpec = inTurn(
  renamed({ taskServiceAccountName: 'serviceAccountName', taskPodTemplate: 'podTemplate' }),
  overrides,
);

const pipelineRun = members({
  apiVersion: () => 'tekton.dev/v1',
  spec: inTurn(
    taskRunTemplate,
    timeouts,
    members({ params, pipelineRef: reference, pipelineSpec, taskRunSpecs: each(taskRunSpec) }),
  ),
  status: inTurn(renamed({ pipelineResults: 'results' }), members({ results, pipelineSpec })),
});

/**
 * Results under the name that v1 no longer has, whatever apiVersion the object shows: a server may serve what was
 * written as v1beta1 under v1, unconverted.
 */
const oldResults = (name: string) =>
  members({
    status: onObject((status) =>
      status[name] === undefined || (status['results'] ?? null) !== null
        ? status
        : { ...status, results: status[name] },
    ),
  });

const oldTaskResults = oldResults('taskResults');
const oldPipelineResults = oldResults('pipelineResults');

/** The TaskRun with the fields of v1: those that v1 renamed are renamed, nothing else is changed (payloads.md, 13). */
export function taskRunAsV1(object: JsonObject): JsonObject {
  return asObject((isV1beta1(object) ? taskRun : oldTaskResults)(object), object);
}

/** The PipelineRun with the fields of v1, likewise. */
export function pipelineRunAsV1(object: JsonObject): JsonObject {
  return asObject((isV1beta1(object) ? pipelineRun : oldPipelineResults)(object), object);
}

function isV1beta1(object: JsonObject): boolean {
  return object['apiVersion'] === 'tekton.dev/v1beta1';
}

function asObject(changed: Json, object: JsonObject): JsonObject {
  return isJsonObject(changed) ? changed : object;
}
