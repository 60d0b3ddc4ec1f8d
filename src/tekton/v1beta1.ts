import { isJsonList, isJsonObject, type Json, type JsonObject, member, textIn } from '../json.ts';

/** Changes a value; one of an unexpected type stays as it is, so that its reader refuses it. */
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

/** Changes the members that are there. */
const members = (changes: Readonly<Record<string, Conversion>>): Conversion =>
  onObject((object) =>
    Object.fromEntries(
      Object.entries(object).map(([key, value = null]) => {
        const change = Object.hasOwn(changes, key) ? changes[key] : undefined;
        return [key, change === undefined ? value : change(value)];
      }),
    ),
  );

/** Renames members; a member that already has the new name is replaced. */
const renamed = (names: Readonly<Record<string, string>>): Conversion =>
  onObject((object) => {
    const replaced = Object.entries(names).flatMap(([old, name]) =>
      Object.hasOwn(object, old) ? [name] : [],
    );
    const kept = Object.entries(object).filter(([key]) => !replaced.includes(key));
    return Object.fromEntries(kept.map(([key, value]) => [textIn(member(names, key) ?? key), value]));
  });

const container = renamed({ resources: 'computeResources' });
const params = each(onObject((param) => (param['value'] === undefined ? { ...param, value: '' } : param)));
const results = params;
const paramSpecs = each(
  onObject((spec) => ((spec['type'] ?? '') === '' ? { ...spec, type: 'string' } : spec)),
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
 * Renames the results from the name that only v1beta1 has, whatever apiVersion the object shows: a server may serve as v1
 * what was written as v1beta1, unconverted.
 */
const oldResults = (name: string) =>
  members({
    status: onObject((status) =>
      status[name] === undefined || (status['results'] ?? null) !== null
        ? status
        : { ...status, results: status[name] },
    ),
  });

/** The TaskRun with the fields of v1: those that v1 renamed are renamed, nothing else is changed (payloads.md, 13). */
export function taskRunAsV1(object: JsonObject): JsonObject {
  return converted(object, isV1beta1(object) ? taskRun : oldResults('taskResults'));
}

/** The PipelineRun with the fields of v1, likewise. */
export function pipelineRunAsV1(object: JsonObject): JsonObject {
  return converted(object, isV1beta1(object) ? pipelineRun : oldResults('pipelineResults'));
}

function isV1beta1(object: JsonObject): boolean {
  return object['apiVersion'] === 'tekton.dev/v1beta1';
}

function converted(object: JsonObject, change: Conversion): JsonObject {
  const changed = change(object);
  return isJsonObject(changed) ? changed : object;
}
