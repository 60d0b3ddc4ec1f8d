import { parseConfig } from '../config/parse.ts';
import type { JsonObject } from '../model/json.ts';
import { ChainsError } from '../model/errors.ts';
import { parseRun, runName } from '../model/run.ts';
import {
  type Expectations,
  summaryOf,
  type Verification,
  type VerificationKey,
  type VerificationOptions,
  verifyImage,
  verifyRun,
} from '../verify/index.ts';
import { type ClusterOptions, fetchRun } from './live.ts';
import { nearMiss } from './near-miss.ts';
import { paintFor } from './paint.ts';
import { showing, step } from './progress.ts';
import { reportAll } from './report.ts';
import { readConfig, readRuns } from './runs.ts';
import { readKey } from './verify-keys.ts';
import { verifyText } from './verify-text.ts';

/** The options of `chains verify`, as parsed. */
export interface VerifyArguments extends ClusterOptions, Expectations {
  readonly file: readonly string[];
  readonly key: readonly string[];
  readonly config?: string;
  /** Plain HTTP and unverified certificates are allowed for registries. */
  readonly insecure?: boolean;
  readonly output: 'text' | 'json';
}

/** The exit code of what is unsigned or doesn't verify. */
const notVerified = 3;

/**
 * `chains verify`: checks runs by what is on them. Resolves to the exit code: 3 when one of them doesn't verify, 2 when a
 * document was no run.
 * @throws ChainsError USAGE, KEY_INVALID, CONFIG_INVALID, and what the cluster answers
 */
export async function runVerify(
  names: readonly string[],
  options: VerifyArguments,
  write: (text: string) => unknown = (text) => process.stdout.write(text),
): Promise<number> {
  if ((names.length === 0) === (options.file.length === 0)) {
    throw new ChainsError(
      'USAGE',
      'verify takes signed runs by -f, names such as taskrun/NAME of runs in a cluster, or image and the reference of one',
    );
  }
  refuseNearImage(names);
  const keys = await keysOf(options);
  const { builderId, sourceUri, sourceDigest, buildType, require } = options;
  const expected: Expectations = { builderId, sourceUri, sourceDigest, buildType, require };
  if (names[0] === 'image') return verifyImages(names.slice(1), { keys, expected }, options, write);
  const given = options.file.length > 0 ? await readRuns(options.file) : { runs: [], refused: [] };
  const fetching = () => Promise.all(names.map((name) => fetchRun(name, options)));
  const fetched = names.length === 0 ? [] : await showing(`reading ${names.join(', ')}`, fetching);
  let code = reportAll(given.refused);
  const runs = [...given.runs, ...fetched];
  for (const [index, { run, where }] of runs.entries()) {
    const verification = await showing(step('verifying', index, runs, where), () =>
      verifyRun(parseRun(run), { keys, expected }),
    );
    write(printed[options.output](run, verification));
    if (!verification.verified) code = notVerified;
  }
  return code;
}

/** `images` and the like are no runs. */
function refuseNearImage([first = '']: readonly string[]): void {
  if (first === 'image' || first.includes('/')) return;
  const near = nearMiss(first, ['image']);
  if (near.hint !== undefined)
    throw new ChainsError('USAGE', `${JSON.stringify(first)} is neither a run nor the word image`, near);
}

async function verifyImages(
  references: readonly string[],
  checking: VerificationOptions,
  options: VerifyArguments,
  write: (text: string) => unknown,
): Promise<number> {
  if (references.length === 0) throw new ChainsError('USAGE', 'verify image takes the reference of an image');
  const insecure = options.insecure === true ? { 'storage.oci.repository.insecure': 'true' } : {};
  const { config } = parseConfig({ ...(await readConfig(options.config)), ...insecure });
  let code = 0;
  for (const [index, reference] of references.entries()) {
    const { image, verification } = await showing(step('verifying', index, references, reference), () =>
      verifyImage(reference, config, checking),
    );
    const { verified, checks, statements } = verification;
    const json = { image, verified, checks, summaries: statements.map(summaryOf) };
    write(
      options.output === 'json'
        ? `${JSON.stringify(json)}\n`
        : `${verifyText(`image ${image}`, verification, paintFor(process.stdout))}\n`,
    );
    if (!verified) code = notVerified;
  }
  return code;
}

async function keysOf(options: VerifyArguments): Promise<readonly VerificationKey[]> {
  if (options.key.length === 0) {
    throw new ChainsError(
      'USAGE',
      'verify needs --key: a public key’s file, the reference of a key in a KMS, or k8s://NAMESPACE/SECRET',
    );
  }
  const { kubeconfig, context } = options;
  const config = await readConfig(options.config);
  return showing('reading the keys', () =>
    Promise.all(options.key.map((argument) => readKey(argument, { kubeconfig, context, config }))),
  );
}

const printed = {
  text(object: JsonObject, verification: Verification): string {
    const run = parseRun(object);
    const subject = `${run.kind} ${runName(run)} (uid ${run.uid})`;
    return `${verifyText(subject, verification, paintFor(process.stdout))}\n`;
  },
  json(object: JsonObject, { verified, checks, statements }: Verification): string {
    const { apiVersion, kind, namespace, name, uid } = parseRun(object);
    const run = { apiVersion, kind, namespace, name, uid };
    return `${JSON.stringify({ run, verified, checks, summaries: statements.map(summaryOf) })}\n`;
  },
};
