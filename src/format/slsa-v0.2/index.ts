import { runFormat } from '../run-format.ts';
import { namedThings, subjectsOfPipelineRun, subjectsOfTaskRun } from '../subjects.ts';
import { pipelineRunProvenance } from './pipeline-run.ts';
import { taskRunProvenance } from './task-run.ts';

const types = {
  _type: 'https://in-toto.io/Statement/v0.1',
  predicateType: 'https://slsa.dev/provenance/v0.2',
} as const;

const scope = { rule: namedThings, steps: false };

/** The formats `in-toto` and `slsa/v1`: SLSA provenance v0.2 in an in-toto v0.1 statement (payloads.md, 6 to 8). */
export const slsaV02 = runFormat({
  taskRun: (evidence, { config, report }) => ({
    ...types,
    subject: subjectsOfTaskRun(evidence, scope),
    predicate: taskRunProvenance(evidence, config['builder.id'], report),
  }),
  pipelineRun(evidence, { config, report }) {
    const deep = config['artifacts.pipelinerun.enable-deep-inspection'];
    return {
      ...types,
      subject: subjectsOfPipelineRun(evidence, { ...scope, deep }),
      predicate: pipelineRunProvenance(evidence, { builderId: config['builder.id'], deep, report }),
    };
  },
});
