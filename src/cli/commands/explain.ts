import { examine, type RunInput } from '../../library/examine.ts';
import { explanationOf } from '../../library/explain.ts';
import { ChainsError } from '../../errors.ts';
import { type ClusterOptions, findRun, noSuchRun } from '../input/cluster.ts';
import { readConfig, readRuns } from '../input/runs.ts';
import { explainText } from '../terminal/explain-text.ts';
import { paintFor } from '../terminal/layout.ts';
import { showing, step } from '../terminal/progress.ts';
import { reportAll, warnOfUnknownKeys } from '../terminal/report.ts';
import { usageError } from '../usage-error.ts';

/** The options of `chains explain`, as parsed. */
export interface ExplainArguments extends ClusterOptions {
  readonly file: readonly string[];
  readonly config?: string;
  readonly output: 'text' | 'json';
}

/**
 * `chains explain`: prints what would be signed of each run and why, as a line of JSON or a paragraph of text. Resolves to
 * the exit code: 2 when a document was no run.
 * @throws ChainsError USAGE, CONFIG_INVALID and what the cluster answers
 */
export async function runExplain(
  names: readonly string[],
  options: ExplainArguments,
  write: (text: string) => unknown = (text) => process.stdout.write(text),
): Promise<number> {
  if ((names.length === 0) === (options.file.length === 0)) {
    throw usageError('explain takes runs by -f, or names such as taskrun/NAME of runs in a cluster');
  }
  const given = await readConfig(options.config);
  const print = async (input: RunInput, progress: string): Promise<void> => {
    const examination = await showing(progress, () => examine(input));
    const text =
      options.output === 'json'
        ? JSON.stringify(explanationOf(examination))
        : explainText(examination, paintFor(process.stdout));
    write(`${text}\n`);
  };
  for (const [index, name] of names.entries()) {
    const fetching = step('reading', index, names, name);
    const found = await showing(fetching, () => findRun(name, options));
    if (found.run === undefined) throw noSuchRun(found);
    if (found.config instanceof ChainsError) throw found.config;
    if (given === undefined && index === 0) warnOfUnknownKeys(found.config);
    const { run, taskRuns } = found;
    await print({ run, taskRuns, config: given ?? found.config }, step('examining', index, names, name));
  }
  if (names.length > 0) return 0;
  const { runs, refused } = await readRuns(options.file);
  for (const [index, run] of runs.entries()) {
    await print({ ...run, config: given ?? {} }, step('examining', index, runs, run.where));
  }
  return reportAll(refused);
}
