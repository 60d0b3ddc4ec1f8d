import { ChainsError } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import { runName } from '../../model/run.ts';
import { visible } from '../../text.ts';
import type { BundleOptions } from '../../verify/bundle.ts';
import type { Verification } from '../../verify/checks.ts';
import { verifyImage } from '../../verify/image.ts';
import type { Expectations } from '../../verify/provenance.ts';
import { verifyStores } from '../../verify/stores.ts';
import { summaryOf } from '../../verify/summary.ts';
import { readBytes } from '../input/documents.ts';
import { readConfig, readRuns } from '../input/runs.ts';
import {
  configWith,
  givenSubject,
  namedSubject,
  type SubjectOptions,
  type ToVerify,
} from '../input/verify-subjects.ts';
import { readKeys, readTrust, type TrustArguments } from '../input/verify-trust.ts';
import { paintFor } from '../terminal/layout.ts';
import { showing, step } from '../terminal/progress.ts';
import { reportAll } from '../terminal/report.ts';
import { verifyText } from '../terminal/verify-text.ts';
import { suggestion, usageError } from '../usage-error.ts';

/** The options of `chains verify`, as parsed. */
export interface VerifyArguments extends SubjectOptions, Expectations, TrustArguments {
  readonly file: readonly string[];
  /** What the bundles sign: a file, or `sha256:` and 64 hex digits. */
  readonly artifact?: string;
  readonly output: 'text' | 'json';
}

/** Finds what there is to verify, and the documents that are not runs. @param config the one of `--config` */
type Find = (
  names: readonly string[],
  options: VerifyArguments,
  config: JsonObject | undefined,
  checking: BundleOptions,
) => Promise<{ readonly tasks: readonly Task[]; readonly refused?: readonly ChainsError[] }>;

/** Something to verify, with its name for the progress. */
interface Task {
  readonly name: string;
  readonly verify: () => Promise<Verified>;
}

interface Verified {
  readonly verification: Verification;
  /** The first line of the text. */
  readonly title: string;
  /** The first members of the JSON. */
  readonly subject: JsonObject;
  readonly hints?: readonly string[];
}

/** The exit code of what is unsigned or doesn't verify. */
const notVerified = 3;

/**
 * `chains verify`: verifies runs, by their annotations or by what stores have of them, images, or bundles. Resolves to the
 * exit code: 3 when one of them doesn't verify, 2 when a document was no run.
 * @throws ChainsError USAGE, KEY_INVALID, CONFIG_INVALID, and what the cluster answers
 */
export async function runVerify(
  names: readonly string[],
  options: VerifyArguments,
  write: (text: string) => unknown = (text) => process.stdout.write(text),
  advise: (hint: string) => unknown = (hint) => process.stderr.write(`hint: ${visible(hint)}\n`),
): Promise<number> {
  if ((names.length === 0) === (options.file.length === 0)) {
    throw usageError(
      'verify takes signed runs by -f, names such as taskrun/NAME of runs in a cluster, image and the reference of one, or bundles as files ending in .sigstore.json',
    );
  }
  const find = finderFor(names, options);
  const config = await readConfig(options.config);
  const [keys, evidence] = [await readKeys(options, config ?? {}), await readTrust(options)];
  const { builderId, sourceUri, sourceDigest, buildType, require } = options;
  const expected = { builderId, sourceUri, sourceDigest, buildType, require };
  const { tasks, refused = [] } = await find(names, options, config, { keys, expected, evidence });
  let code = reportAll(refused);
  for (const [index, { name, verify }] of tasks.entries()) {
    const verified = await showing(step('verifying', index, tasks, name), verify);
    for (const hint of verified.hints ?? []) advise(hint);
    write(`${printed(verified, options.output)}\n`);
    if (!verified.verification.verified) code = notVerified;
  }
  return code;
}

function printed({ title, subject, verification }: Verified, output: 'text' | 'json'): string {
  if (output === 'text') return verifyText(title, verification, paintFor(process.stdout));
  const { verified, checks, notes, statements } = verification;
  return JSON.stringify({ ...subject, verified, checks, notes, summaries: statements.map(summaryOf) });
}

function finderFor(names: readonly string[], { artifact, file, store, uid }: VerifyArguments): Find {
  const [first = ''] = names;
  if (artifact !== undefined && (file.length > 0 || first === 'image'))
    throw usageError('--artifact is for bundles, which are given as arguments: leave out -f and image');
  const areBundles = artifact !== undefined || names.some((name) => /\.sigstore(\.json)?$/.test(name));
  if ((areBundles || first === 'image') && (store !== undefined || uid !== undefined))
    throw usageError('--store and --uid are for runs: leave them out for images and bundles');
  if (first === 'image') return images;
  if (areBundles) return bundles;
  // A misspelt image, such as images, would be read as the name of a run.
  const meant = first.includes('/') ? {} : suggestion(first, ['image']);
  if (meant.hint === undefined) return runs;
  throw usageError(`${JSON.stringify(first)} is neither a run nor the word image`, meant);
}

const bundles: Find = async (files, { artifact }, _config, checking) => {
  if (artifact === undefined)
    throw usageError('a bundle is verified together with what it signs: give --artifact FILE or sha256:HEX');
  const { verifyBundle } = await import('../../verify/bundle.ts');
  // A digest where it has the form of one, as for other clients of Sigstore; else a file.
  const [, hex] = /^sha256:([0-9a-f]{64})$/.exec(artifact) ?? [];
  const signed =
    hex === undefined
      ? { bytes: await readBytes(artifact, `the artifact ${artifact}`) }
      : { sha256: Buffer.from(hex, 'hex') };
  const tasks = files.map((file) => ({
    name: file,
    verify: async () => ({
      verification: await verifyBundle(await readBytes(file, `the bundle ${file}`), signed, checking),
      title: `bundle ${file}`,
      subject: { bundle: file },
    }),
  }));
  return { tasks };
};

const images: Find = async ([, ...references], options, data, checking) => {
  if (references.length === 0) throw usageError('verify image takes the reference of an image');
  const config = configWith(data, options);
  const tasks = references.map((reference) => ({
    name: reference,
    verify: async () => {
      const { image, verification } = await verifyImage(reference, config, checking);
      return { verification, title: `image ${image}`, subject: { image } };
    },
  }));
  return { tasks };
};

const runs: Find = async (names, options, config, checking) => {
  if (options.uid !== undefined && names.length !== 1)
    throw usageError('--uid is that of one run, which is given by its name');
  const given = options.file.length > 0 ? await readRuns(options.file) : { runs: [], refused: [] };
  const named = await showing(`reading ${names.join(', ')}`, () =>
    Promise.all(names.map((name) => namedSubject(name, options, config))),
  );
  const found = [...given.runs.map((run) => givenSubject(run, options, config)), ...named];
  return { tasks: found.map((one) => runTask(one, options, checking)), refused: given.refused };
};

function runTask(
  { subject, hints, ...where }: ToVerify,
  options: VerifyArguments,
  checking: BundleOptions,
): Task {
  const { kind, namespace, name, uid } = 'run' in subject ? subject.run : subject.gone;
  const apiVersion = 'run' in subject ? subject.run.apiVersion : undefined;
  const fullName = `${kind} ${runName({ namespace, name })}`;
  const verify = async () => {
    const { verification, leftOut } = await verifyStores(subject, { ...checking, ...where }).catch(
      (error: unknown) => {
        throw options.store === undefined ? withAdvice(error) : error;
      },
    );
    return {
      verification,
      title: `${fullName} (uid ${uid}${'run' in subject ? '' : ', gone from the cluster'})`,
      subject: { run: { apiVersion, kind, namespace, name, uid } },
      hints: [...hints, ...leftOut],
    };
  };
  return { name: fullName, verify };
}

/** Whoever verifies may not have access to every store that the configuration names. */
function withAdvice(error: unknown): unknown {
  if (!(error instanceof ChainsError) || !error.code.startsWith('STORE_')) return error;
  const { code, message, hint } = error;
  const choice = 'chains-config names this store; --store says which ones to look into instead';
  return new ChainsError(code, message, {
    cause: error,
    hint: hint === undefined ? choice : `${hint} Or: ${choice}`,
  });
}
