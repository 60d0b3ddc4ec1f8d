import { configData } from '../../config/parse.ts';
import { referredTo, taskRunNames } from '../../model/children.ts';
import { ChainsError } from '../../errors.ts';
import { at, isJsonObject, type Json, type JsonObject, member, textIn } from '../../json.ts';
import { parseRun, type Run } from '../../model/run.ts';
import { warnOfUnknownKeys } from '../terminal/report.ts';
import { type Document, readDocuments } from './documents.ts';
import { usageError } from '../usage-error.ts';

/** A run as it was given, with the TaskRuns of a PipelineRun that were given with it. */
export interface GivenRun {
  readonly where: string;
  readonly run: JsonObject;
  readonly taskRuns: readonly JsonObject[];
}

/**
 * Reads runs from files, folders and standard input; a PipelineRun gets the TaskRuns that it refers to, in that order.
 * @throws ChainsError USAGE when there is no run at all
 */
export async function readRuns(paths: readonly string[]): Promise<{
  readonly runs: readonly GivenRun[];
  /** One for each document that can't be read as a run: where it is and why. */
  readonly refused: readonly ChainsError[];
}> {
  const documents = await readDocuments(paths);
  const objects = documents.map(({ value }) => value).filter((value) => isJsonObject(value));
  const read = documents.map((document) => ({ ...document, run: runOrReason(document) }));
  const runs = read.flatMap(({ where, run }) =>
    run instanceof ChainsError ? [] : [{ where, run: run.object, taskRuns: taskRunsOf(run, objects) }],
  );
  const taken = new Set<Json>(runs.flatMap(({ taskRuns }) => taskRuns));
  const refused = read.flatMap(({ value, run }) =>
    run instanceof ChainsError && !taken.has(value) ? [run] : [],
  );
  if (runs.length > 0) return { runs, refused };
  throw refused[0] ?? usageError(`there is no run in ${paths.join(', ')}`);
}

function taskRunsOf(run: Run, objects: readonly JsonObject[]): readonly JsonObject[] {
  if (run.kind === 'TaskRun') return [];
  // An object taken out of a list may have lost its kind.
  const candidates = objects.filter(
    (object) =>
      ['TaskRun', ''].includes(kindOf(object)) &&
      textIn(at(object, 'metadata', 'namespace')) === run.namespace,
  );
  const byName = new Map(candidates.map((object) => [textIn(at(object, 'metadata', 'name')), object]));
  return referredTo(taskRunNames(run), byName);
}

function kindOf(value: Json): string {
  return textIn(member(value, 'kind'));
}

function runOrReason({ where, value }: Document): Run | ChainsError {
  try {
    return parseRun(value);
  } catch (error) {
    if (!(error instanceof ChainsError)) throw error;
    const kind = kindOf(value).slice(0, 60);
    const what = kind === '' ? where : `${where} (${kind})`;
    return new ChainsError(error.code, `${what}: ${error.message}`, { cause: error });
  }
}

/**
 * Reads the configuration of a file, and warns of its unknown keys; undefined without a file. A command reads it once, since
 * the file may be standard input.
 * @throws ChainsError USAGE, CONFIG_INVALID
 */
export async function readConfig(path: string | undefined): Promise<JsonObject | undefined> {
  if (path === undefined) return undefined;
  const documents = await readDocuments([path]);
  if (documents.length > 1) {
    throw usageError(
      `${path} holds ${documents.length} documents: give one, the ConfigMap chains-config or its data`,
    );
  }
  const data = configData(documents[0]?.value);
  warnOfUnknownKeys(data);
  return data;
}
