import type { TaskRunEvidence } from '../../model/evidence.ts';
import { markPrefix } from '../../model/marks.ts';
import type { ObjectMeta } from '../../tekton/meta.ts';
import type { Param, ParamSpec } from '../../tekton/params.ts';
import type { RefSource } from '../../tekton/provenance.ts';
import { map, written } from '../../tekton/shape.ts';
import { type Value, value } from '../../tekton/value.ts';
import { textOrAbsent, textsOrAbsent } from '../statement.ts';

/** What an invocation is made of. */
export interface Invoked {
  readonly metadata: ObjectMeta | undefined;
  /** Where the parameters are declared, for their defaults. */
  readonly specs: readonly ParamSpec[] | undefined;
  readonly params: readonly Param[] | undefined;
  readonly source: RefSource | undefined;
}

/** The annotation in which kubectl keeps the whole object. */
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/** The invocation of a run (payloads.md, 7.1). @throws ChainsError RUN_UNREADABLE when a parameter has no value. */
export function invocation({ metadata, specs = [], params = [], source = {} }: Invoked): object {
  const values = new Map<string, Value | undefined>([
    ...specs
      .filter((spec) => spec.default !== undefined)
      .map((spec) => [spec.name ?? '', spec.default] as const),
    ...params.map((param) => [param.name ?? '', param.value] as const),
  ]);
  const annotations = [...(metadata?.annotations ?? [])].filter(
    ([key]) => key !== lastApplied && !key.startsWith(markPrefix),
  );
  const environment = {
    annotations: textsOrAbsent(new Map(annotations)),
    labels: textsOrAbsent(metadata?.labels),
  };
  const isEmpty = environment.annotations === undefined && environment.labels === undefined;
  return {
    configSource: {
      uri: textOrAbsent(source.uri),
      digest: textsOrAbsent(source.digest),
      entryPoint: textOrAbsent(source.entryPoint),
    },
    parameters: written(map<Value | undefined>(value), values, 'parameters'),
    environment: isEmpty ? undefined : environment,
  };
}

/** The invocation of a TaskRun. @throws ChainsError RUN_UNREADABLE when a parameter has no value. */
export function taskRunInvocation(
  { taskRun: { metadata, spec, status } }: TaskRunEvidence,
  source: RefSource | undefined,
): object {
  return invocation({ metadata, specs: status?.taskSpec?.params, params: spec?.params, source });
}
