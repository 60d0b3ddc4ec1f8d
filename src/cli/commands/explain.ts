import { type Examination, examine } from '../../library/examine.ts';
import { explanationOf } from '../../library/explain.ts';
import { ChainsError } from '../../errors.ts';
import { explainText } from '../terminal/explain-text.ts';
import { type ClusterOptions, fetchRun } from '../input/live.ts';
import { paintFor } from '../terminal/paint.ts';
import { showing, step } from '../terminal/progress.ts';
import { reportAll, warnOfKeys } from '../terminal/report.ts';
import { readConfig, readRuns } from '../input/runs.ts';

/** The options of `chains explain`, as parsed. */
export interface ExplainArguments extends ClusterOptions {
  readonly file: readonly string[];
  readonly config?: string;
  readonly output: 'text' | 'json';
}

/**
 * `chains explain`: says of each run what would be signed and why, a line of JSON or a paragraph of text a run. Resolves to
 * the exit code: 2 when a document was no run.
 * @throws ChainsError USAGE, CONFIG_INVALID and what the cluster answers
 */
export async function runExplain(
  names: readonly string[],
  options: ExplainArguments,
  write: (text: string) => unknown = (text) => process.stdout.write(text),
): Promise<number> {
  if ((names.length === 0) === (options.file.length === 0)) {
    throw new ChainsError(
      'USAGE',
      'explain takes runs by -f, or names such as taskrun/NAME of runs in a cluster',
    );
  }
  const given = options.config === undefined ? undefined : await readConfig(options.config);
  warnOfKeys(given ?? {});
  const print = async (input: Parameters<typeof examine>[0], doing: string): Promise<void> => {
    write(printed[options.output](await showing(doing, () => examine(input))));
  };
  if (names.length > 0) {
    for (const [index, name] of names.entries()) {
      const fetching = step('reading', index, names, name);
      const { config, ...run } = await showing(fetching, () => fetchRun(name, options));
      if (given === undefined && index === 0) warnOfKeys(config);
      await print({ ...run, config: given ?? config }, step('examining', index, names, name));
    }
    return 0;
  }
  const { runs, refused } = await readRuns(options.file);
  for (const [index, run] of runs.entries()) {
    await print({ ...run, config: given ?? {} }, step('examining', index, runs, run.where));
  }
  return reportAll(refused);
}

const printed = {
  json: (examination: Examination) => `${JSON.stringify(explanationOf(examination))}\n`,
  text: (examination: Examination) => `${explainText(examination, paintFor(process.stdout))}\n`,
};
