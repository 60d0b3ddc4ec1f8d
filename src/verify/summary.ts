import { at, type Json, listAt, member, objectIn, textIn } from '../json.ts';
import { builderOf, sourcesOf } from './provenance.ts';

/** Who built what, from which sources and with which steps, as provenance says it. */
export interface Summary {
  readonly builder: string | undefined;
  /** `name@alg:hex` */
  readonly built: readonly string[];
  readonly from: readonly string[];
  /** Names of steps, with their images. */
  readonly steps: readonly string[];
  /** RFC 3339 */
  readonly startedOn: string | undefined;
  readonly finishedOn: string | undefined;
}

/** Summarizes provenance with either version of the predicate. */
export function summaryOf(statement: Json): Summary {
  const predicate = member(statement, 'predicate');
  const metadata = at(predicate, 'runDetails', 'metadata') ?? member(predicate, 'metadata');
  return {
    builder: text(builderOf(predicate)),
    built: listAt(statement, 'subject').map((subject) =>
      named(textIn(member(subject, 'name')), member(subject, 'digest')),
    ),
    from: sourcesOf(predicate).map(({ uri, digests }) => named(uri, Object.fromEntries(digests))),
    steps: stepsOf(predicate),
    startedOn: text(member(metadata, 'startedOn') ?? member(metadata, 'buildStartedOn')),
    finishedOn: text(member(metadata, 'finishedOn') ?? member(metadata, 'buildFinishedOn')),
  };
}

function stepsOf(predicate: Json | undefined): readonly string[] {
  const config = member(predicate, 'buildConfig');
  const ofTask = listAt(config, 'steps').map((step) => stepOf(step));
  const ofTasks = listAt(config, 'tasks').flatMap((task) => {
    const name = text(member(task, 'name'));
    return listAt(task, 'steps').map((step) => stepOf(step, name === undefined ? '' : `${name}/`));
  });
  const spec = at(predicate, 'buildDefinition', 'externalParameters', 'runSpec');
  const ofSpec = listAt(spec, 'taskSpec', 'steps').map(
    (step) => `${textIn(member(step, 'name'))} (${textIn(member(step, 'image'))})`,
  );
  return [...ofTask, ...ofTasks, ...ofSpec];
}

function stepOf(step: Json, prefix = ''): string {
  const [name, image] = [at(step, 'environment', 'container'), at(step, 'environment', 'image')];
  return `${prefix}${textIn(name)} (${textIn(image)})`;
}

function named(name: string, digest: Json | undefined): string {
  const digests = Object.entries(objectIn(digest)).map(([algorithm, hex]) => `${algorithm}:${textIn(hex)}`);
  return digests.length === 0 ? name : `${name}@${digests.join(',')}`;
}

function text(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
