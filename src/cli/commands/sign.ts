import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { reportOf } from '../../decide/judgement.ts';
import { endStatement, messageOf } from '../../decide/marking.ts';
import { noRoom } from '../../library/examine.ts';
import { entriesOf, type SignedRun, signedExplanationOf, signRun } from '../../library/sign.ts';
import { storageKeyOf } from '../../model/artifact.ts';
import { bundleOf } from '../../sigstore/bundle.ts';
import { ChainsError, reasonOf } from '../../errors.ts';
import { at, type Json, type JsonObject, member } from '../../json.ts';
import type { Run } from '../../model/run.ts';
import { nearMiss } from '../terminal/near-miss.ts';
import { showing, step } from '../terminal/progress.ts';
import { errorText, reportAll, warningText, warnOfKeys } from '../terminal/report.ts';
import { readConfig, readRuns } from '../input/runs.ts';

/** The options of `chains sign`, as parsed. */
export interface SignArguments {
  readonly file: readonly string[];
  readonly config?: string;
  readonly signingSecrets: string;
  /** `json`, `yaml` or `dir=FOLDER`. */
  readonly output: string;
}

/**
 * `chains sign`: signs runs without a cluster. `json` prints a line a run; `yaml` the run with the annotations that the store
 * `tekton` would give it; `dir=FOLDER` writes files as the store `gcs` lays them out. Resolves to the exit code: 1 when an
 * artifact could not be signed, or not kept where it was to be printed, 2 when a document was no run.
 * @throws ChainsError USAGE, CONFIG_INVALID
 */
export async function runSign(
  options: SignArguments,
  write: (text: string) => unknown = (text) => process.stdout.write(text),
): Promise<number> {
  const output = outputOf(options.output, write);
  if (options.file.length === 0) throw new ChainsError('USAGE', 'sign takes runs by -f');
  const config = await readConfig(options.config);
  warnOfKeys(config);
  const { runs, refused } = await readRuns(options.file);
  let failed = false;
  for (const [index, run] of runs.entries()) {
    const signed = await showing(step('signing', index, runs, run.where), () =>
      signRun({ ...run, config, signingSecrets: options.signingSecrets }, output.isKept),
    );
    const { errors, warnings } = reportOf(outcomeOf(signed, output));
    for (const error of errors) process.stderr.write(errorText(`${run.where}: ${error}`));
    for (const warning of warnings) process.stderr.write(warningText(`${run.where}: ${warning}`));
    failed ||= errors.length > 0;
    await output.print(signed);
  }
  const code = reportAll(refused);
  return code === 0 && failed ? 1 : code;
}

/** A form of output. */
interface SignOutput {
  readonly print: (signed: SignedRun) => unknown;
  /** Which artifacts the run's annotations must hold, since they are nowhere else; those of the configuration otherwise. */
  readonly isKept?: () => boolean;
}

function outputOf(text: string, write: (text: string) => unknown): SignOutput {
  const [, folder] = /^dir=(.+)$/s.exec(text) ?? [];
  if (folder !== undefined) return { print: (signed) => writeFiles(folder, signed) };
  if (text === 'json')
    return { print: (signed) => write(`${JSON.stringify(signedExplanationOf(signed))}\n`) };
  if (text === 'yaml') {
    // Readers of YAML 1.1, kubectl for one, take a bare time or yes for something else than a string.
    const yaml = (signed: SignedRun) => stringify(markedRun(signed), { lineWidth: 0, version: '1.1' });
    return { print: (signed) => write(`---\n${yaml(signed)}`), isKept: () => true };
  }
  throw new ChainsError(
    'USAGE',
    `-o ${JSON.stringify(text.slice(0, 60))} is not known: use json, yaml or dir=FOLDER`,
    nearMiss(text, ['json', 'yaml']),
  );
}

/** What became of a run. What its annotations have no room for has failed where it was to be printed there. */
function outcomeOf({ examination, signed, tooLarge }: SignedRun, { isKept }: Pick<SignOutput, 'isKept'>) {
  const failures = signed.flatMap(({ result }) =>
    result !== undefined && 'stage' in result ? [result] : [],
  );
  const { drafts, problems } = examination;
  return {
    failures: isKept === undefined ? failures : [...failures, ...tooLarge],
    off: drafts.flatMap(({ plan }) => plan.off ?? []),
    problems: isKept === undefined ? [...problems, ...noRoom(tooLarge)] : problems,
  };
}

/** The run with the marks that the controller would write, without the finalizer. */
function markedRun(signed: SignedRun): JsonObject {
  const { run } = signed.examination;
  const { errors, warnings } = reportOf(outcomeOf(signed, { isKept: () => true }));
  const end = endStatement(run, {
    state: errors.length === 0 ? 'true' : 'failed',
    message: messageOf([...errors, ...warnings]),
    failures: 0,
    annotations: signed.annotations,
  });
  const metadata = {
    ...object(run.object['metadata']),
    ...merged(run, end, 'annotations'),
    ...merged(run, end, 'labels'),
  };
  return { ...run.object, metadata };
}

function merged(run: Run, end: JsonObject, key: 'annotations' | 'labels'): JsonObject {
  return { [key]: { ...run[key], ...object(at(end, 'metadata', key)) } };
}

function object(value: Json | undefined): JsonObject {
  return Object.fromEntries(Object.entries(value ?? {}).map(([key]) => [key, member(value, key)]));
}

/** `taskrun-NS-NAME/KEY.payload`, `.signature` and, where there are any, `.cert`, `.chain` and `.sigstore.json`. */
async function writeFiles(folder: string, { examination, signed }: SignedRun): Promise<void> {
  const { kind, namespace, name } = examination.run;
  const place = join(folder, fileName(`${kind.toLowerCase()}-${namespace}-${name}`));
  try {
    await mkdir(place, { recursive: true });
    for (const entry of entriesOf(signed)) {
      const { artifact, payload, signature, transparency } = entry;
      const { certificate: cert, chain } = signature;
      const bundle = transparency === undefined ? undefined : JSON.stringify(bundleOf(entry));
      const parts = {
        payload: payload.bytes,
        signature: signature.bytes,
        cert,
        chain,
        'sigstore.json': bundle,
      };
      for (const [part, content] of Object.entries(parts)) {
        if (content !== undefined)
          await writeFile(join(place, fileName(`${storageKeyOf(artifact)}.${part}`)), content);
      }
    }
  } catch (cause) {
    throw new ChainsError('USAGE', `cannot write into ${place}: ${reasonOf(cause)}`, { cause });
  }
}

/** Names and uids come from a file that anyone may have written: they must not lead out of the folder. */
function fileName(text: string): string {
  return text.replace(/[/\\\p{Cc}]/gu, '_');
}
