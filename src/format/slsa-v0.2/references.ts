import type { EnvVar } from '../../tekton/core/containers.ts';
import type { Param } from '../../tekton/params.ts';
import type { PipelineTask } from '../../tekton/pipeline.ts';
import type { Sidecar, Step } from '../../tekton/task.ts';
import type { Value } from '../../tekton/value.ts';

/**
 * The names of the tasks whose results a pipeline's task refers to, in the order in which the references stand, with
 * doubles (payloads.md, 8): in params, matrix, `when`, and the texts of an embedded task.
 */
export function tasksReferredTo(task: PipelineTask): readonly string[] {
  return textsOf(task).flatMap(taskNames);
}

function textsOf({ params = [], matrix, when = [], taskSpec }: PipelineTask): readonly string[] {
  const { params: matrixParams = [], include = [] } = matrix ?? {};
  return [...params, ...matrixParams, ...include.flatMap((combination) => combination.params ?? [])]
    .flatMap(paramTexts)
    .concat(when.flatMap(({ input = '', cel = '', values = [] }) => [input, cel, ...values]))
    .concat([...(taskSpec?.steps ?? []), ...(taskSpec?.sidecars ?? [])].flatMap(containerTexts));
}

function paramTexts({ value }: Param): readonly string[] {
  return value === undefined ? [] : textsIn[value.kind](value);
}

const textsIn = {
  text: (value: Value) => (value.kind === 'text' ? [value.text] : []),
  list: (value: Value) => (value.kind === 'list' ? value.texts : []),
  object: (value: Value) => (value.kind === 'object' ? [...value.members.values()] : []),
};

function containerTexts(container: Step | Sidecar): readonly string[] {
  const { name = '', image = '', imagePullPolicy = '', script = '', workingDir = '' } = container;
  const { command = [], args = [], env = [] } = container;
  return [
    name,
    image,
    imagePullPolicy,
    script,
    workingDir,
    ...command,
    ...args,
    ...env.flatMap(variableTexts),
  ];
}

function variableTexts({ value = '', valueFrom }: EnvVar): readonly string[] {
  const { secretKeyRef: secret, configMapKeyRef: configMap } = valueFrom ?? {};
  return [value, secret?.key, secret?.name, configMap?.key, configMap?.name].map((one) => one ?? '');
}

/** `$(tasks.NAME.results.RESULT)`, also with an index, a property, or `finally` for `tasks`. */
function taskNames(text: string): readonly string[] {
  return (text.match(/\$\([\w.-]+(\[(\d+|\*)\])?\)/g) ?? [])
    .map((reference) => reference.slice(2, -1).split('.'))
    .filter(
      ([kind = '', , results, ...rest]) =>
        ['tasks', 'finally'].includes(kind) && results === 'results' && [1, 2].includes(rest.length),
    )
    .flatMap(([, name]) => name ?? []);
}
