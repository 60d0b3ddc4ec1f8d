import type { EnvVar } from '../../tekton/core/containers.ts';
import type { Param } from '../../tekton/params.ts';
import type { PipelineTask } from '../../tekton/pipeline.ts';
import type { Sidecar, Step } from '../../tekton/task.ts';

/**
 * The names of the tasks whose results a pipeline's task refers to, in the order of the references, with duplicates
 * (payloads.md, 8): in params, matrix, `when`, and the texts of an embedded task.
 */
export function tasksReferredTo(task: PipelineTask): readonly string[] {
  return textsOf(task).flatMap(taskNames);
}

function textsOf({ params = [], matrix, when = [], taskSpec }: PipelineTask): readonly string[] {
  const { params: matrixParams = [], include = [] } = matrix ?? {};
  const combined = include.flatMap((combination) => combination.params ?? []);
  const { steps = [], sidecars = [] } = taskSpec ?? {};
  return [
    ...[...params, ...matrixParams, ...combined].flatMap(paramTexts),
    ...when.flatMap(({ input = '', cel = '', values = [] }) => [input, cel, ...values]),
    ...[...steps, ...sidecars].flatMap(containerTexts),
  ];
}

function paramTexts({ value }: Param): readonly string[] {
  if (value === undefined) return [];
  if (value.kind === 'text') return [value.text];
  return value.kind === 'list' ? value.texts : [...value.members.values()];
}

function containerTexts(container: Step | Sidecar): readonly string[] {
  const { name = '', image = '', imagePullPolicy = '', script = '', workingDir = '' } = container;
  const { command = [], args = [], env = [] } = container;
  const own = [name, image, imagePullPolicy, script, workingDir, ...command, ...args];
  return [...own, ...env.flatMap(variableTexts)];
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
