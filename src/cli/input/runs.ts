import { configData } from '../../config/data.ts';
import { referredTo, taskRunNames } from '../../model/children.ts';
import { ChainsError } from '../../errors.ts';
import { at, isJsonObject, type JsonObject, member, textIn } from '../../json.ts';
import { parseRun, type Run } from '../../model/run.ts';
import { type Document, readDocuments } from './documents.ts';

/** A run as it was given, with the TaskRuns of a PipelineRun that were given with it. */
export interface GivenRun {
  readonly where: string;
  readonly run: JsonObject;
  readonly taskRuns: readonly JsonObject[];
}

/** Runs in the order in which they were given, and what else was given. */
export interface GivenRuns {
  readonly runs: readonly GivenRun[];
  /** One for each document that can't be read as a run: where it is and why. */
  readonly refused: readonly ChainsError[];
}

/** Reads runs from files, folders and standard input. @throws ChainsError USAGE when there is none at all. */
export async function readRuns(paths: readonly string[]): Promise<GivenRuns> {
  const given = runsAmong(await readDocuments(paths));
  if (given.runs.length > 0) return given;
  throw given.refused[0] ?? new ChainsError('USAGE', `there is no run in ${paths.join(', ')}`);
}

/** Finds the runs among documents; a PipelineRun finds the TaskRuns that it refers to, in that order. */
export function runsAmong(documents: readonly Document[]): GivenRuns {
  const objects = documents.flatMap(({ where, value }) => (isJsonObject(value) ? [{ where, value }] : []));
  const read = documents.map((document) => ({ document, run: runOrReason(document) }));
  const runs = read.flatMap(({ document: { where, value }, run }) =>
    isJsonObject(value) && !(run instanceof ChainsError) ? [{ where, value, run }] : [],
  );
  const taken = new Set(runs.flatMap(({ run }) => taskRunsOf(run, objects)));
  return {
    runs: runs.map(({ where, value, run }) => ({ where, run: value, taskRuns: taskRunsOf(run, objects) })),
    refused: read.flatMap(({ document: { value }, run }) =>
      run instanceof ChainsError && !(isJsonObject(value) && taken.has(value)) ? [run] : [],
    ),
  };
}

function taskRunsOf(run: Run, objects: readonly { readonly value: JsonObject }[]): readonly JsonObject[] {
  if (run.kind === 'TaskRun') return [];
  // An object taken out of a list may have lost its kind.
  const candidates = objects.filter(
    ({ value }) =>
      ['TaskRun', undefined].includes(kindOf(value)) &&
      textIn(at(value, 'metadata', 'namespace')) === run.namespace,
  );
  const byName = new Map(candidates.map(({ value }) => [textIn(at(value, 'metadata', 'name')), value]));
  return referredTo(taskRunNames(run), byName);
}

function kindOf(value: JsonObject): string | undefined {
  const kind = member(value, 'kind');
  return typeof kind === 'string' ? kind : undefined;
}

function runOrReason({ where, value }: Document): Run | ChainsError {
  try {
    return parseRun(value);
  } catch (error) {
    if (!(error instanceof ChainsError)) throw error;
    const kind = isJsonObject(value) ? kindOf(value) : undefined;
    const what = kind === undefined ? where : `${where} (${kind.slice(0, 60)})`;
    return new ChainsError(error.code, `${what}: ${error.message}`, { cause: error });
  }
}

/** Reads the configuration of a file; without one all defaults. @throws ChainsError USAGE, CONFIG_INVALID */
export async function readConfig(path: string | undefined): Promise<JsonObject> {
  if (path === undefined) return {};
  const documents = await readDocuments([path]);
  if (documents.length > 1) {
    throw new ChainsError(
      'USAGE',
      `${path} holds ${documents.length} documents: give one, the ConfigMap chains-config or its data`,
    );
  }
  return configData(documents[0]?.value);
}
