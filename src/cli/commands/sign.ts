import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { reportOf } from '../../decide/judgement.ts';
import { endStatement, messageOf } from '../../decide/marking.ts';
import { noRoom } from '../../library/examine.ts';
import { entriesOf, type SignedRun, signedExplanationOf, signRun } from '../../library/sign.ts';
import { storageKeyOf } from '../../model/artifact.ts';
import { bundleOf } from '../../sigstore/bundle.ts';
import { reasonOf } from '../../errors.ts';
import { at, type JsonObject, objectIn } from '../../json.ts';
import { showing, step } from '../terminal/progress.ts';
import { errorText, reportAll, warningText } from '../terminal/report.ts';
import { readConfig, readRuns } from '../input/runs.ts';
import { suggestion, usageError } from '../usage-error.ts';

/** The options of `chains sign`, as parsed. */
export interface SignArguments {
  readonly file: readonly string[];
  readonly config?: string;
  readonly signingSecrets: string;
  /** `json`, `yaml` or `dir=FOLDER`. */
  readonly output: string;
}

/**
 * `chains sign`: signs runs without a cluster. `json` prints a line of JSON for each run; `yaml` the run with the annotations
 * that the store `tekton` would give it; `dir=FOLDER` writes files as the store `gcs` lays them out. Resolves to the exit
 * code: 1 when an artifact could not be signed, or doesn't fit into the annotations that are printed, 2 when a document
 * was no run.
 * @throws ChainsError USAGE, CONFIG_INVALID
 */
export async function runSign(
  options: SignArguments,
  write: (text: string) => unknown = (text) => process.stdout.write(text),
): Promise<number> {
  const print = printerFor(options.output, write);
  // Everything that is signed is printed in the annotations, whatever stores the configuration names.
  const isAnnotated = options.output === 'yaml';
  if (options.file.length === 0) throw usageError('sign takes runs by -f');
  const config = (await readConfig(options.config)) ?? {};
  const { runs, refused } = await readRuns(options.file);
  let failed = false;
  for (const [index, run] of runs.entries()) {
    const input = { ...run, config, signingSecrets: options.signingSecrets };
    const signed = await showing(step('signing', index, runs, run.where), () =>
      signRun(input, isAnnotated ? () => true : undefined),
    );
    const { errors, warnings } = reportOf(outcomeOf(signed, isAnnotated));
    for (const error of errors) process.stderr.write(errorText(`${run.where}: ${error}`));
    for (const warning of warnings) process.stderr.write(warningText(`${run.where}: ${warning}`));
    failed ||= errors.length > 0;
    await print(signed);
  }
  const code = reportAll(refused);
  return code === 0 && failed ? 1 : code;
}

function printerFor(output: string, write: (text: string) => unknown): (signed: SignedRun) => unknown {
  const [, folder] = /^dir=(.+)$/s.exec(output) ?? [];
  if (folder !== undefined) return (signed) => writeFiles(folder, signed);
  if (output === 'json') return (signed) => write(`${JSON.stringify(signedExplanationOf(signed))}\n`);
  if (output === 'yaml') {
    // Readers of YAML 1.1, such as kubectl, don't read a bare time or yes as a string.
    return (signed) => write(`---\n${stringify(markedRun(signed), { lineWidth: 0, version: '1.1' })}`);
  }
  throw usageError(
    `-o ${JSON.stringify(output.slice(0, 60))} is not known: use json, yaml or dir=FOLDER`,
    suggestion(output, ['json', 'yaml']),
  );
}

/** The outcome for a run; what doesn't fit into its annotations is a failure where only they are printed. */
function outcomeOf({ examination, signed, tooLarge }: SignedRun, isAnnotated: boolean) {
  const failures = signed.flatMap(({ result }) =>
    result !== undefined && 'stage' in result ? [result] : [],
  );
  const { drafts, problems } = examination;
  return {
    failures: isAnnotated ? [...failures, ...tooLarge] : failures,
    off: drafts.flatMap(({ plan }) => plan.off ?? []),
    problems: isAnnotated ? problems : [...problems, ...noRoom(tooLarge)],
  };
}

/** The run with the marks that the controller would write, without the finalizer. */
function markedRun(signed: SignedRun): JsonObject {
  const { run } = signed.examination;
  const { errors, warnings } = reportOf(outcomeOf(signed, true));
  const end = endStatement(run, {
    state: errors.length === 0 ? 'true' : 'failed',
    message: messageOf([...errors, ...warnings]),
    failures: 0,
    annotations: signed.annotations,
  });
  const merged = (key: 'annotations' | 'labels') => ({ ...run[key], ...objectIn(at(end, 'metadata', key)) });
  const metadata = objectIn(run.object['metadata']);
  return {
    ...run.object,
    metadata: { ...metadata, annotations: merged('annotations'), labels: merged('labels') },
  };
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
      const parts = { payload: payload.bytes, signature: signature.bytes, cert, chain };
      for (const [part, content] of Object.entries({ ...parts, 'sigstore.json': bundle })) {
        if (content !== undefined)
          await writeFile(join(place, fileName(`${storageKeyOf(artifact)}.${part}`)), content);
      }
    }
  } catch (cause) {
    throw usageError(`can't write into ${place}: ${reasonOf(cause)}`, { cause });
  }
}

/** Names and uids come from untrusted files: they must not lead out of the folder. */
function fileName(text: string): string {
  return text.replace(/[/\\\p{Cc}]/gu, '_');
}
