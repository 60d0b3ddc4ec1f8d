import { writeFile } from 'node:fs/promises';
import { reasonOf } from '../../errors.ts';
import { exportBundles } from '../../verify/export.ts';
import { readConfig } from '../input/runs.ts';
import { namedSubject, type SubjectOptions } from '../input/verify-subjects.ts';
import { showing } from '../terminal/progress.ts';
import { usageError } from '../usage-error.ts';

/** The options of `chains export`, as parsed. */
export interface ExportArguments extends SubjectOptions {
  readonly out: string;
}

const ending = '.sigstore.json';

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
  if (!out.endsWith(ending)) throw usageError(`--out is a file whose name ends in ${ending}`);
  if (options.store === 'all' || options.store?.includes(',') === true)
    throw usageError('export reads one store: give the name of one as --store');
  const given = await readConfig(options.config);
  const { subject, stores, config } = await showing(`reading ${name}`, () =>
    namedSubject(name, options, given),
  );
  const [store = 'tekton'] = stores;
  const bundles = await showing(`reading ${store}`, () => exportBundles(subject, store, config));
  if (bundles.length === 0)
    throw usageError(`the store ${store} has nothing of ${name}; --store names another one`);
  const base = out.slice(0, -ending.length);
  const taken = new Set<string>();
  for (const { bundle, key, isOwn } of bundles) {
    // The run's own file has no key in its name; several of the same key are numbered.
    let path = isOwn ? out : `${base}.${key}${ending}`;
    for (let number = 1; taken.has(path); number += 1)
      path = `${base}.${key}${number === 1 ? '' : `.${number}`}${ending}`;
    taken.add(path);
    await writeFile(path, `${JSON.stringify(bundle)}\n`).catch((cause: unknown) => {
      throw usageError(`${path} can't be written: ${reasonOf(cause)}`);
    });
    write(`${path}\n`);
  }
}
