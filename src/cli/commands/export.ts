import { writeFile } from 'node:fs/promises';
import { ChainsError, reasonOf } from '../../errors.ts';
import { exportBundles, type ExportedBundle } from '../../verify/export.ts';
import { namedSubject, type SubjectOptions } from '../input/verify-subjects.ts';
import { showing } from '../terminal/progress.ts';

/** The options of `chains export`, as parsed. */
export interface ExportArguments extends SubjectOptions {
  readonly out: string;
}

/**
 * `chains export`: writes what a store has of a run and its images as Sigstore bundles, and prints the files' names.
 * @throws ChainsError USAGE, CONFIG_INVALID, STORE_…, and what the cluster answers
 */
export async function runExport(
  name: string,
  options: ExportArguments,
  write: (text: string) => unknown = (text) => process.stdout.write(text),
): Promise<void> {
  const { out } = options;
  if (!out.endsWith('.sigstore.json'))
    throw new ChainsError('USAGE', '--out is a file whose name ends in .sigstore.json');
  const { subject, stores, config } = await showing(`reading ${name}`, () => namedSubject(name, options));
  const [store = 'tekton'] = stores;
  const bundles = await showing(`reading ${store}`, () => exportBundles(subject, store, config));
  if (bundles.length === 0)
    throw new ChainsError('USAGE', `the store ${store} has nothing of ${name}; --store names another one`);
  const taken = new Set<string>();
  for (const one of bundles) {
    const path = freeName(out, one, taken);
    await writeFile(path, `${JSON.stringify(one.bundle)}\n`).catch((cause: unknown) => {
      throw new ChainsError('USAGE', `${path} can't be written: ${reasonOf(cause)}`);
    });
    write(`${path}\n`);
  }
}

/** The file of the run itself; others have their key in the name, and a number where several have the same one. */
function freeName(out: string, { key, isOwn }: ExportedBundle, taken: Set<string>): string {
  const base = out.slice(0, -'.sigstore.json'.length);
  const names = isOwn ? [base, `${base}.${key}`] : [`${base}.${key}`];
  const numbered = Array.from({ length: 1_000 }, (_, index) => `${base}.${key}.${index + 2}`);
  const name = [...names, ...numbered].find((one) => !taken.has(one)) ?? base;
  taken.add(name);
  return `${name}.sigstore.json`;
}
