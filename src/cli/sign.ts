import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { endStatement, messageOf } from '../controller/marking.ts';
import { type SignedDraft, signedExplanationOf, signRun } from '../library/sign.ts';
import { ChainsError, reasonOf } from '../model/errors.ts';
import { at, type Json, type JsonObject, member } from '../model/json.ts';
import type { Run } from '../model/run.ts';
import type { SignedArtifact } from '../model/signature.ts';
import { fitAnnotations } from '../store/annotation-room.ts';
import { annotationsFor } from '../store/tekton.ts';
import { nearMiss } from './near-miss.ts';
import { showing, step } from './progress.ts';
import { errorText, reportAll } from './report.ts';
import { readConfig, readRuns } from './runs.ts';

/** The options of `chains sign`, as parsed. */
export interface SignArguments {
  readonly file: readonly string[];
  readonly config?: string;
  readonly signingSecrets: string;
  /** `json`, `yaml` or `dir=FOLDER`. */
  readonly output: string;
}

type Signed = Awaited<ReturnType<typeof signRun>>;

/**
 * `chains sign`: signs runs without a cluster. `json` prints a line a run; `yaml` the run with the annotations that the store
 * `tekton` would give it; `dir=FOLDER` writes files as the store `gcs` lays them out. Resolves to the exit code: 1 when an
 * artifact could not be signed, 2 when a document was no run.
 * @throws ChainsError USAGE, CONFIG_INVALID
 */
export async function runSign(
  options: SignArguments,
  write: (text: string) => unknown = (text) => process.stdout.write(text),
): Promise<number> {
  const output = outputOf(options.output, write);
  if (options.file.length === 0) throw new ChainsError('USAGE', 'sign takes runs by -f');
  const config = await readConfig(options.config);
  const { runs, refused } = await readRuns(options.file);
  let failed = false;
  for (const [index, run] of runs.entries()) {
    const signed = await showing(step('signing', index, runs, run.where), () =>
      signRun({ ...run, config, signingSecrets: options.signingSecrets }),
    );
    const failures = failuresOf(signed.signed);
    for (const failure of failures) process.stderr.write(errorText(`${run.where}: ${failure}`));
    failed ||= failures.length > 0;
    await output(signed);
  }
  const code = reportAll(refused);
  return code === 0 && failed ? 1 : code;
}

function outputOf(text: string, write: (text: string) => unknown): (signed: Signed) => unknown {
  const [, folder] = /^dir=(.+)$/s.exec(text) ?? [];
  if (folder !== undefined) return (signed) => writeFiles(folder, signed);
  if (text === 'json') return (signed) => write(`${JSON.stringify(signedExplanationOf(signed))}\n`);
  // Readers of YAML 1.1, kubectl for one, take a bare time or yes for something else than a string.
  if (text === 'yaml')
    return (signed) => write(`---\n${stringify(markedRun(signed), { lineWidth: 0, version: '1.1' })}`);
  throw new ChainsError(
    'USAGE',
    `-o ${JSON.stringify(text.slice(0, 60))} is not known: use json, yaml or dir=FOLDER`,
    nearMiss(text, ['json', 'yaml']),
  );
}

function failuresOf(signed: readonly SignedDraft[]): readonly string[] {
  return signed.flatMap(({ draft, result }) =>
    result !== undefined && 'stage' in result
      ? [`${draft.artifact.kind} ${draft.artifact.key}: ${result.error.message}`]
      : [],
  );
}

function entriesOf(signed: readonly SignedDraft[]): readonly SignedArtifact[] {
  return signed.flatMap(({ result }) => (result === undefined || 'stage' in result ? [] : [result]));
}

/** The run with the marks that the controller would write, without the finalizer. */
function markedRun({ examination, signed }: Signed): JsonObject {
  const { run } = examination;
  const entries = entriesOf(signed).map((entry) => ({
    artifact: entry.artifact,
    annotations: annotationsFor(entry),
  }));
  const fitted = fitAnnotations(run.annotations, entries);
  const failures = [...failuresOf(signed), ...fitted.tooLarge.map(({ error }) => error.message)];
  const end = endStatement(run, {
    state: failures.length === 0 ? 'true' : 'failed',
    message: messageOf(failures),
    failures: 0,
    annotations: fitted.annotations,
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

/** `taskrun-NS-NAME/KEY.payload`, `.signature` and, where there are any, `.cert` and `.chain`. */
async function writeFiles(folder: string, { examination, signed }: Signed): Promise<void> {
  const { kind, namespace, name } = examination.run;
  const place = join(folder, fileName(`${kind.toLowerCase()}-${namespace}-${name}`));
  try {
    await mkdir(place, { recursive: true });
    for (const { artifact, payload, signature } of entriesOf(signed)) {
      const { certificate: cert, chain } = signature;
      const parts = { payload: payload.bytes, signature: signature.bytes, cert, chain };
      for (const [part, content] of Object.entries(parts)) {
        if (content !== undefined) await writeFile(join(place, fileName(`${artifact.key}.${part}`)), content);
      }
    }
  } catch (cause) {
    throw new ChainsError('USAGE', `cannot write into ${place}: ${reasonOf(cause)}`, { cause });
  }
}

/** Names and uids come from a file that anybody may have written: they must not lead out of the folder. */
function fileName(text: string): string {
  return text.replace(/[/\\\p{Cc}]/gu, '_');
}
