import { parseConfig } from '../../config/parse.ts';
import { ChainsError } from '../../errors.ts';
import { runName } from '../../model/run.ts';
import type { Verification, VerificationOptions } from '../../verify/checks.ts';
import { verifyImage } from '../../verify/image.ts';
import type { VerificationKey } from '../../verify/key.ts';
import type { Expectations } from '../../verify/provenance.ts';
import { verifyStores } from '../../verify/stores.ts';
import { summaryOf } from '../../verify/summary.ts';
import type { VerifiedSubject } from '../../verify/wanted.ts';
import { nearMiss } from '../terminal/near-miss.ts';
import { paintFor } from '../terminal/paint.ts';
import { showing, step } from '../terminal/progress.ts';
import { reportAll, warnOfKeys } from '../terminal/report.ts';
import { readConfig, readRuns } from '../input/runs.ts';
import { readKey } from '../input/verify-keys.ts';
import { asksForIdentity, readTrust, type TrustArguments } from '../input/verify-trust.ts';
import { givenSubject, namedSubject, type SubjectOptions } from '../input/verify-subjects.ts';
import { verifyText } from '../terminal/verify-text.ts';
import { visible } from '../../text.ts';

/** The options of `chains verify`, as parsed. */
export interface VerifyArguments extends SubjectOptions, Expectations, TrustArguments {
  readonly file: readonly string[];
  /** What bundles are of. */
  readonly artifact?: string;
  readonly key: readonly string[];
  readonly output: 'text' | 'json';
}

/** The exit code of what is unsigned or doesn't verify. */
const notVerified = 3;

/**
 * `chains verify`: checks runs by what is on them, or what stores have of them. Resolves to the exit code: 3 when one of
 * them doesn't verify, 2 when a document was no run.
 * @throws ChainsError USAGE, KEY_INVALID, CONFIG_INVALID, and what the cluster answers
 */
export async function runVerify(
  names: readonly string[],
  options: VerifyArguments,
  write: (text: string) => unknown = (text) => process.stdout.write(text),
  advise: (hint: string) => unknown = (hint) => process.stderr.write(`hint: ${visible(hint)}\n`),
): Promise<number> {
  if ((names.length === 0) === (options.file.length === 0)) {
    throw new ChainsError(
      'USAGE',
      'verify takes signed runs by -f, names such as taskrun/NAME of runs in a cluster, image and the reference of one, or bundles as files ending in .sigstore.json',
    );
  }
  const isOfBundles = options.artifact !== undefined || names.some(isBundleName);
  if (!isOfBundles) refuseNearImage(names);
  const [keys, evidence] = [await keysOf(options), await readTrust(options)];
  const { builderId, sourceUri, sourceDigest, buildType, require } = options;
  const expected: Expectations = { builderId, sourceUri, sourceDigest, buildType, require };
  if (isOfBundles) {
    const { verifyBundles } = await import('./verify-bundle.ts');
    const all = await verifyBundles(names, options, { keys, expected, evidence }, write);
    return all ? 0 : notVerified;
  }
  if (names[0] === 'image') return verifyImages(names.slice(1), { keys, expected, evidence }, options, write);
  if (options.uid !== undefined && names.length !== 1)
    throw new ChainsError('USAGE', '--uid is that of one run, which is given by its name');
  const given = options.file.length > 0 ? await readRuns(options.file) : { runs: [], refused: [] };
  const reading = () =>
    Promise.all([
      ...given.runs.map((run) => givenSubject(run, options)),
      ...names.map((name) => namedSubject(name, options)),
    ]);
  const all = await showing(`reading ${[...options.file, ...names].join(', ')}`, reading);
  let code = reportAll(given.refused);
  for (const [index, { subject, hints, ...looking }] of all.entries()) {
    const { verification, leftOut } = await showing(step('verifying', index, all, nameOf(subject)), () =>
      verifyStores(subject, { keys, expected, evidence, ...looking }).catch((error: unknown) => {
        throw options.store === undefined ? withAdvice(error) : error;
      }),
    );
    for (const hint of [...hints, ...leftOut]) advise(hint);
    write(printed[options.output](subject, verification));
    if (!verification.verified) code = notVerified;
  }
  return code;
}

/** Whether a name is that of a bundle's file. */
function isBundleName(name: string): boolean {
  return /\.sigstore(\.json)?$/.test(name);
}

/** `images` and the like are not runs. */
function refuseNearImage([first = '']: readonly string[]): void {
  if (first === 'image' || first.includes('/')) return;
  const near = nearMiss(first, ['image']);
  if (near.hint !== undefined)
    throw new ChainsError('USAGE', `${JSON.stringify(first)} is neither a run nor the word image`, near);
}

/** Anyone who verifies may not be let into every store that the configuration names. */
function withAdvice(error: unknown): unknown {
  if (!(error instanceof ChainsError) || !error.code.startsWith('STORE_')) return error;
  const { code, message, hint } = error;
  const choice = 'chains-config names this store; --store says which ones to look into instead';
  return new ChainsError(code, message, {
    cause: error,
    hint: hint === undefined ? choice : `${hint} Or: ${choice}`,
  });
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
    const { verified, checks, notes, statements } = verification;
    const json = { image, verified, checks, notes, summaries: statements.map(summaryOf) };
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
  if (asksForIdentity(options)) {
    if (options.key.length === 0) return [];
    throw new ChainsError('USAGE', 'give either --key or the identity of a certificate');
  }
  if (options.key.length === 0) {
    throw new ChainsError(
      'USAGE',
      "verify needs --key: a public key's file, the reference of a key in a KMS, or k8s://NAMESPACE/SECRET; or, for keyless signatures, --certificate-identity and --certificate-oidc-issuer",
    );
  }
  const { kubeconfig, context } = options;
  const config = await readConfig(options.config);
  warnOfKeys(config);
  return showing('reading the keys', () =>
    Promise.all(options.key.map((argument) => readKey(argument, { kubeconfig, context, config }))),
  );
}

function nameOf(subject: VerifiedSubject): string {
  const { kind, namespace, name } = 'run' in subject ? subject.run : subject.gone;
  return `${kind} ${runName({ namespace, name })}`;
}

const printed = {
  text(subject: VerifiedSubject, verification: Verification): string {
    const { uid } = 'run' in subject ? subject.run : subject.gone;
    const state = 'run' in subject ? '' : ', gone from the cluster';
    const title = `${nameOf(subject)} (uid ${uid}${state})`;
    return `${verifyText(title, verification, paintFor(process.stdout))}\n`;
  },
  json(subject: VerifiedSubject, { verified, checks, notes, statements }: Verification): string {
    const { apiVersion, kind, namespace, name, uid } =
      'run' in subject ? subject.run : { apiVersion: undefined, ...subject.gone };
    const run = { apiVersion, kind, namespace, name, uid };
    return `${JSON.stringify({ run, verified, checks, notes, summaries: statements.map(summaryOf) })}\n`;
  },
};
