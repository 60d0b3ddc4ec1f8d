/**
 * Which PipelineRuns wait for which TaskRuns, so that the last mark among those wakes its PipelineRun. Names are
 * `namespace/name`. A PipelineRun is written in before its TaskRuns are looked at: what ends meanwhile is not missed.
 */
export class Awaited {
  readonly #taskRunsOf = new Map<string, Set<string>>();
  readonly #pipelineRunOf = new Map<string, string>();

  /** A PipelineRun waits for these TaskRuns, and for no others. */
  expect(pipelineRun: string, taskRuns: Iterable<string>): void {
    this.forget(pipelineRun);
    this.#taskRunsOf.set(pipelineRun, new Set(taskRuns));
    for (const taskRun of this.left(pipelineRun)) this.#pipelineRunOf.set(taskRun, pipelineRun);
  }

  /** A TaskRun has its end state, or is gone. Gives the PipelineRun that waited for nothing else. */
  ended(taskRun: string): string | undefined {
    const pipelineRun = this.#pipelineRunOf.get(taskRun);
    if (pipelineRun === undefined) return undefined;
    this.#pipelineRunOf.delete(taskRun);
    const left = this.#taskRunsOf.get(pipelineRun);
    left?.delete(taskRun);
    return left?.size === 0 ? pipelineRun : undefined;
  }

  /** What a PipelineRun still waits for. */
  left(pipelineRun: string): readonly string[] {
    return [...(this.#taskRunsOf.get(pipelineRun) ?? [])];
  }

  /** A PipelineRun waits no longer. */
  forget(pipelineRun: string): void {
    for (const taskRun of this.left(pipelineRun)) this.#pipelineRunOf.delete(taskRun);
    this.#taskRunsOf.delete(pipelineRun);
  }
}
