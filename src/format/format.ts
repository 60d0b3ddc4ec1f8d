import type { Config, FormatName } from '../config/keys.ts';
import { ChainsError } from '../errors.ts';
import type { Artifact } from '../model/artifact.ts';
import type { PipelineRunEvidence, TaskRunEvidence } from '../model/evidence.ts';
import type { Report } from '../model/problem.ts';
import type { Payload } from '../model/signature.ts';
import { type Statement, statementPayload } from './statement.ts';
import { type SubjectScope, subjectsOfPipelineRun, subjectsOfTaskRun } from './subjects.ts';

/** What a payload depends on in addition to the artifact. */
export interface FormatOptions {
  readonly config: Config;
  /** The ConfigMap's name of the format, since one predicate can have several. */
  readonly name: FormatName;
  /** True where an image's signature goes into a Sigstore bundle. */
  readonly bundled?: boolean | undefined;
  /** Receives what the format leaves out. */
  readonly report: Report;
}

/**
 * Makes an artifact's payload. The same run and configuration give the same bytes.
 * @throws ChainsError RUN_UNREADABLE when a field that it needs is missing or of the wrong type; CONFIG_INVALID when it
 * doesn't make payloads for artifacts of this kind.
 */
export type Format = (artifact: Artifact, options: FormatOptions) => Payload;

/** How the statements about runs are made in formats with one predicate. @throws ChainsError RUN_UNREADABLE */
export interface RunStatements {
  readonly types: Pick<Statement, '_type' | 'predicateType'>;
  readonly subjects: (name: FormatName) => SubjectScope;
  /** The predicate of a TaskRun. */
  readonly taskRun: (evidence: TaskRunEvidence, options: FormatOptions) => object;
  /** The predicate of a PipelineRun. */
  readonly pipelineRun: (evidence: PipelineRunEvidence, options: FormatOptions) => object;
}

/** The format whose payloads are these statements; it is for runs, not for images. */
export function runFormat({ types, subjects, taskRun, pipelineRun }: RunStatements): Format {
  return (artifact, options) => {
    const { config, name } = options;
    if (artifact.kind === 'oci') {
      throw new ChainsError(
        'CONFIG_INVALID',
        `artifacts.oci.format is \`${name}\`, which is for runs only; use \`simplesigning\``,
      );
    }
    const scope = { ...subjects(name), deep: config['artifacts.pipelinerun.enable-deep-inspection'] };
    return statementPayload(() => {
      if (artifact.kind === 'taskrun') {
        const evidence = readable(artifact.evidence);
        const subject = subjectsOfTaskRun(evidence, scope);
        return { ...types, subject, predicate: taskRun(evidence, options) };
      }
      const evidence = readable(artifact.evidence);
      const subject = subjectsOfPipelineRun(evidence, scope);
      return { ...types, subject, predicate: pipelineRun(evidence, options) };
    }, name);
  };
}

function readable<T>(evidence: T | ChainsError): T {
  if (evidence instanceof ChainsError) throw evidence;
  return evidence;
}
