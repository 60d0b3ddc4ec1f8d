import { readFile } from 'node:fs/promises';
import { ChainsError, reasonOf } from '../../errors.ts';
import { type BundledArtifact, type BundleOptions, verifyBundle } from '../../verify/bundle.ts';
import { summaryOf } from '../../verify/summary.ts';
import { paintFor } from '../terminal/paint.ts';
import { showing, step } from '../terminal/progress.ts';
import { verifyText } from '../terminal/verify-text.ts';

/** How bundles are verified and shown. */
export interface BundleArguments {
  /** A file, or `sha256:` and 64 hex digits. */
  readonly artifact?: string;
  readonly output: 'text' | 'json';
}

/** Verifies bundles in files, all of the same artifact. Resolves to whether all of them verify. @throws ChainsError USAGE */
export async function verifyBundles(
  files: readonly string[],
  { artifact, output }: BundleArguments,
  options: BundleOptions,
  write: (text: string) => unknown,
): Promise<boolean> {
  if (artifact === undefined)
    throw new ChainsError(
      'USAGE',
      'a bundle is verified against what it is of: give --artifact FILE or sha256:HEX',
    );
  const bundled = await readArtifact(artifact);
  let all = true;
  for (const [index, file] of files.entries()) {
    const bytes = await readWhole(file, 'the bundle');
    const verification = await showing(step('verifying', index, files, file), () =>
      verifyBundle(bytes, bundled, options),
    );
    const { verified, checks, notes, statements } = verification;
    write(
      output === 'json'
        ? `${JSON.stringify({ bundle: file, verified, checks, notes, summaries: statements.map(summaryOf) })}\n`
        : `${verifyText(`bundle ${file}`, verification, paintFor(process.stdout))}\n`,
    );
    all &&= verified;
  }
  return all;
}

/** A digest where it has the form of one, as for other clients of Sigstore; else a file. */
async function readArtifact(artifact: string): Promise<BundledArtifact> {
  const [, hex] = /^sha256:([0-9a-f]{64})$/.exec(artifact) ?? [];
  if (hex !== undefined) return { sha256: Buffer.from(hex, 'hex') };
  return { bytes: await readWhole(artifact, 'the artifact') };
}

async function readWhole(path: string, what: string): Promise<Uint8Array> {
  return readFile(path).catch((error: unknown) => {
    throw new ChainsError('USAGE', `${what} ${path} can't be read: ${reasonOf(error)}`);
  });
}
