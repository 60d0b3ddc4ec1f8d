import type { Step as StepSpec } from '../../tekton/task.ts';
import type { StepState } from '../../tekton/task-run.ts';
import { imageUri } from '../materials.ts';
import type { BuildStep } from './predicate.ts';

/** A step: what was to be run, and in which image it ran (payloads.md, 7.2). */
export function step(
  { script = '', command = [], args }: StepSpec,
  { imageID = '', name = '' }: StepState,
): BuildStep {
  return {
    entryPoint: script === '' ? command.join(' ') : script,
    arguments: args ?? null,
    environment: { image: imageUri(imageID), container: name },
    annotations: null,
  };
}
