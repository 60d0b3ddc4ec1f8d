import type { Config, FormatName } from '../config/keys.ts';
import { parseConfig } from '../config/parse.ts';
import { withoutUserInformation } from '../extract/as-signed.ts';
import { extract } from '../extract/index.ts';
import { quote } from '../text.ts';
import { loadFormat } from '../format/index.ts';
import { type Artifact, ownKeyOf } from '../model/artifact.ts';
import { caught, ChainsError } from '../errors.ts';
import { at, isJsonObject, type Json, type JsonObject, listAt, member, parseJson, textIn } from '../json.ts';
import type { Run } from '../model/run.ts';
import { type Finding, no, yes } from './finding.ts';
import { builderOf } from './provenance.ts';
import {
  compare,
  type Compared,
  type Comparison,
  differencesText,
  type Path,
  pathText,
} from './differences.ts';

/** A run that exists, with those TaskRuns of a PipelineRun that still exist. */
export interface ExistingRun {
  readonly run: Run;
  readonly taskRuns: readonly JsonObject[];
}

/**
 * Whether provenance is what Chains makes of this very run: it is made again, with the builder, build type and format that
 * the stored one states, and compared completely (docs/verifying.md, 'What is compared').
 */
export async function isMadeOf({ run, taskRuns }: ExistingRun, statement: Json): Promise<Finding> {
  const key = ownKeyOf(run);
  // The original Chains takes hints as they are written, and leaves user information in URLs.
  const artifacts = [false, true].flatMap((asWritten) =>
    extract(run, taskRuns, { stepResults: false, childResults: false, asWritten }).artifacts.filter(
      (one) => one.key === key,
    ),
  );
  const gone = goneChildren({ run, taskRuns });
  const made = await Promise.all(
    configurationsFor(run, statement).flatMap(({ format, config }) =>
      artifacts.map((artifact) => remade(artifact, format, config)),
    ),
  );
  const stored = withoutUserInformation(statement, () => {});
  const comparison = comparisonFor(gone.length > 0);
  const [closest] = made
    .flatMap((one) => (one instanceof ChainsError ? [] : [compare(stored, one.payload, comparison)]))
    .toSorted((a, b) => a.differences.length - b.differences.length);
  if (closest === undefined) {
    const error = made.find((one) => one instanceof ChainsError);
    if (error !== undefined) return no(`no provenance can be made of the run: ${error.message}`);
    const buildType = at(statement, 'predicate', 'buildDefinition', 'buildType');
    return no(`the build type ${quote(textIn(buildType))} is not one that Chains writes`);
  }
  return closest.differences.length > 0
    ? no(`the payload is not what this ${run.kind} says: ${differencesText(closest.differences)}`)
    : yes(`the payload is what this ${run.kind} says`, notesOn(closest, gone));
}

/** The formats that write each predicate. */
const formats = new Map<string, readonly FormatName[]>([
  ['https://slsa.dev/provenance/v0.2', ['in-toto']],
  ['https://slsa.dev/provenance/v1', ['slsa/v2alpha3', 'slsa/v2alpha4']],
]);

/**
 * The configurations under which provenance may have been made. No payload says which of two formats it has, or whether deep
 * inspection was on, so that each is tried.
 */
function configurationsFor(
  run: Run,
  statement: Json,
): readonly { readonly format: FormatName; readonly config: Config }[] {
  const predicate = member(statement, 'predicate');
  const type = textIn(member(statement, 'predicateType'));
  const buildType = at(predicate, 'buildDefinition', 'buildType') ?? '';
  const data = {
    'builder.id': builderOf(predicate) ?? '',
    ...(type === 'https://slsa.dev/provenance/v1' ? { 'builddefinition.buildtype': buildType } : {}),
  };
  const depths = run.kind === 'PipelineRun' ? ['false', 'true'] : ['false'];
  const configs = depths.flatMap(
    (deep) => configuration({ ...data, 'artifacts.pipelinerun.enable-deep-inspection': deep }) ?? [],
  );
  return (formats.get(type) ?? []).flatMap((format) => configs.map((config) => ({ format, config })));
}

/** Undefined for values that a configuration can't have. */
function configuration(data: JsonObject): Config | undefined {
  try {
    return parseConfig(data).config;
  } catch (error) {
    if (error instanceof ChainsError) return undefined;
    throw error;
  }
}

async function remade(
  artifact: Artifact,
  format: FormatName,
  config: Config,
): Promise<{ readonly payload: Json } | ChainsError> {
  return caught(async () => {
    const make = await loadFormat(format);
    const { bytes } = make(artifact, { config, name: format, report: () => {} });
    return { payload: parseJson(Buffer.from(bytes).toString('utf8')) };
  });
}

/** A key of a path, or `*` for any. */
type Pattern = readonly string[];

const child = ['predicate', 'buildDefinition', 'resolvedDependencies', '*', 'content'] as const;

/** Fields that hold JSON in base64. */
const encoded: readonly Pattern[] = [child, ['predicate', 'runDetails', 'byproducts', '*', 'content']];

/** Labels, annotations and what the API server maintains: they may change after the run was signed. */
const changing: readonly Pattern[] = [
  ['predicate', 'invocation', 'environment'],
  ['predicate', 'buildConfig', 'tasks', '*', 'invocation', 'environment'],
  // It comes from a label.
  ['predicate', 'metadata', 'reproducible'],
  ['predicate', 'buildDefinition', 'internalParameters', 'labels'],
  ['predicate', 'buildDefinition', 'internalParameters', 'annotations'],
  ...[
    'labels',
    'annotations',
    'managedFields',
    'resourceVersion',
    'generation',
    'finalizers',
    'selfLink',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
  ].map((name) => [...child, 'metadata', name]),
  // Objects in a list or a watch lack them.
  [...child, 'kind'],
  [...child, 'apiVersion'],
];

/** The lists to which each TaskRun of a PipelineRun adds. */
const ofChildren: readonly Pattern[] = [
  ['subject'],
  ['predicate', 'materials'],
  ['predicate', 'buildConfig', 'tasks'],
  ['predicate', 'buildDefinition', 'resolvedDependencies'],
  ['predicate', 'runDetails', 'byproducts'],
];

/** The tasks that a task ran after, which depend on which of them ran. */
const order: Pattern = ['predicate', 'buildConfig', 'tasks', '*', 'after'];

/** Of equal dependencies the first one is written with its name, which may be that of a TaskRun that is gone. */
const dependencyName: Pattern = ['predicate', 'buildDefinition', 'resolvedDependencies', '*', 'name'];

function comparisonFor(isPartial: boolean): Comparison {
  const may = isPartial ? [...changing, order, dependencyName] : changing;
  return {
    mayDiffer: (path) => may.some((pattern) => begins(path, pattern)),
    isOpen: (path) => isPartial && ofChildren.some((pattern) => equals(path, pattern)),
    isUnordered: (path) => equals(path, ['subject']),
    isEncoded: (path) => encoded.some((pattern) => equals(path, pattern)),
  };
}

function begins(path: Path, pattern: Pattern): boolean {
  return pattern.every((step, index) => (step === '*' ? index < path.length : step === path[index]));
}

function equals(path: Path, pattern: Pattern): boolean {
  return path.length === pattern.length && begins(path, pattern);
}

/** The names of the TaskRuns that a PipelineRun refers to and that no longer exist. */
function goneChildren({ run, taskRuns }: ExistingRun): readonly string[] {
  const there = new Set(taskRuns.map((taskRun) => at(taskRun, 'metadata', 'name')));
  const embedded = at(run.object, 'status', 'taskRuns');
  const names = [
    ...listAt(run.object, 'status', 'childReferences')
      .filter((reference) => member(reference, 'kind') === 'TaskRun')
      .map((reference) => member(reference, 'name')),
    ...Object.keys(isJsonObject(embedded) ? embedded : {}),
  ];
  return names.flatMap((name) => (typeof name === 'string' && !there.has(name) ? [name] : []));
}

/** At most this many names or fields are listed in a note. */
const most = 5;

function notesOn({ allowed, notCompared }: Compared, gone: readonly string[]): readonly string[] {
  const paths = allowed.map(({ path }) => path);
  const note = (text: string, about: readonly Path[]) =>
    about.length === 0 ? [] : [`${text}: ${some(about.map(pathText))}`];
  return [
    ...note(
      'changed since it was signed, which labels, annotations and versions may',
      paths.filter((path) => !equals(path, dependencyName)),
    ),
    ...note(
      `may be named after TaskRuns that are not there (${some(gone)})`,
      paths.filter((path) => equals(path, dependencyName)),
    ),
    ...note(`not compared, since these TaskRuns are not there (${some(gone)})`, notCompared),
  ];
}

function some(texts: readonly string[]): string {
  const more = texts.length > most ? ` and ${texts.length - most} more` : '';
  return `${texts.slice(0, most).join(', ')}${more}`;
}
