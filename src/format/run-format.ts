import { ChainsError } from '../errors.ts';
import type { PipelineRunEvidence, TaskRunEvidence } from '../model/evidence.ts';
import type { Format, FormatOptions } from './format.ts';
import { type Statement, statementPayload } from './statement.ts';

/** How the statements of a format are made. @throws ChainsError RUN_UNREADABLE */
export interface Statements {
  readonly taskRun: (evidence: TaskRunEvidence, options: FormatOptions) => Statement<object>;
  readonly pipelineRun: (evidence: PipelineRunEvidence, options: FormatOptions) => Statement<object>;
}

/** The format whose payloads are these statements; it is for runs, not for images. */
export function runFormat({ taskRun, pipelineRun }: Statements): Format {
  return (artifact, options) => {
    const { name } = options;
    if (artifact.kind === 'oci') {
      throw new ChainsError(
        'CONFIG_INVALID',
        `artifacts.oci.format is \`${name}\`, which is for runs only; use \`simplesigning\``,
      );
    }
    const make = () =>
      artifact.kind === 'taskrun'
        ? taskRun(readable(artifact.evidence), options)
        : pipelineRun(readable(artifact.evidence), options);
    return statementPayload(make, name);
  };
}

function readable<T>(evidence: T | ChainsError): T {
  if (evidence instanceof ChainsError) throw evidence;
  return evidence;
}
