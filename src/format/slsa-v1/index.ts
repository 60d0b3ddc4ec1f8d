import { runFormat } from '../run-format.ts';
import { subjectsOfPipelineRun, subjectsOfTaskRun } from '../subjects.ts';
import { type Dialect, v2alpha3, v2alpha4 } from './dialect.ts';
import { pipelineRunProvenance, taskRunProvenance } from './provenance.ts';

const types = {
  _type: 'https://in-toto.io/Statement/v1',
  predicateType: 'https://slsa.dev/provenance/v1',
} as const;

function dialectOf(name: string): Dialect {
  return name === 'slsa/v2alpha4' ? v2alpha4 : v2alpha3;
}

/** The formats `slsa/v2alpha3` and `slsa/v2alpha4`: SLSA provenance v1.0 in an in-toto v1 statement (payloads.md, 6 and 9). */
export const slsaV1 = runFormat({
  taskRun(evidence, { config, name, report }) {
    const dialect = dialectOf(name);
    const scope = { rule: dialect.subjects, steps: dialect.steps };
    return {
      ...types,
      subject: subjectsOfTaskRun(evidence, scope),
      predicate: taskRunProvenance(evidence, { config, dialect, report }),
    };
  },
  pipelineRun(evidence, { config, name, report }) {
    const dialect = dialectOf(name);
    const deep = config['artifacts.pipelinerun.enable-deep-inspection'];
    const scope = { rule: dialect.subjects, steps: dialect.steps, deep };
    return {
      ...types,
      subject: subjectsOfPipelineRun(evidence, scope),
      predicate: pipelineRunProvenance(evidence, { config, dialect, report }),
    };
  },
});
