import type { TaskRunEvidence } from '../../model/evidence.ts';
import type { Report } from '../../model/problem.ts';
import { merged } from '../digest-set.ts';
import { imagesRun, inputsOfTaskRun, resourcesOfTaskRun } from '../materials.ts';
import { type Invoked, invocation } from './invocation.ts';
import { materials, metadata } from './metadata.ts';
import type { Predicate, TaskRunBuildConfig } from './predicate.ts';
import { step } from './steps.ts';

/** The provenance of a TaskRun (payloads.md, 7). @throws ChainsError RUN_UNREADABLE */
export function taskRunProvenance(
  evidence: TaskRunEvidence,
  builderId: string,
  report: Report,
): Predicate<TaskRunBuildConfig> {
  const { metadata: meta, status } = evidence.taskRun;
  const specs = status?.taskSpec?.steps ?? [];
  return {
    builder: { id: builderId },
    buildType: 'tekton.dev/v1/TaskRun',
    invocation: invocation(invokedTaskRun(evidence)),
    buildConfig: {
      // By name: a step without one is named in its state, so that it is never found.
      steps: (status?.steps ?? []).map((state) =>
        step(specs.find((spec) => (spec.name ?? '') === (state.name ?? '')) ?? {}, state),
      ),
    },
    metadata: metadata(meta, status),
    materials: materials(
      merged([...imagesRun(evidence, report), ...inputsOfTaskRun(evidence), ...resourcesOfTaskRun(evidence)]),
    ),
  };
}

/** What a TaskRun's invocation is made of. */
export function invokedTaskRun({ taskRun }: TaskRunEvidence): Invoked {
  const { metadata: meta, spec, status } = taskRun;
  return {
    metadata: meta,
    specs: status?.taskSpec?.params,
    params: spec?.params,
    source: status?.provenance?.refSource,
  };
}
