// Writes docs/config.md and docs/errors.md, and the table between README.md's markers, from the tables in the source.

import { readFile, writeFile } from 'node:fs/promises';
import { keys } from '../src/config/keys.ts';
import { errorCodes } from '../src/model/errors.ts';

interface Documented {
  readonly type: { readonly allowed: string };
  readonly default?: string;
  readonly doc: string;
}

const generated = '<!-- Made by `npm run docs`; change the table in the source, not this file. -->';
const markers = /(<!-- config -->)[^]*?(<!-- \/config -->)/;

function row(...cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

/** The table of all keys of the ConfigMap, in Markdown. */
export function configTable(): string {
  const rows = Object.entries<Documented>(keys).map(([name, key]) => {
    const value = key.default === undefined || key.default === '' ? '' : `\`${key.default}\``;
    return row(`\`${name}\``, key.doc, key.type.allowed, value);
  });
  return [row('key', 'what for', 'allowed', 'default'), row('---', '---', '---', '---'), ...rows].join('\n');
}

/** The text of `docs/config.md`. */
export function configPage(): string {
  return `${generated}

# Configuration

The keys of the ConfigMap \`chains-config\` in the namespace \`tekton-chains\`. Changes take effect without a restart;
without the ConfigMap, the defaults count.

A value that is not allowed changes nothing: the last good configuration stays in force, and an Event on the ConfigMap
(\`InvalidConfiguration\`), the log, the metric \`chains_config_valid\` and readiness say which key is wrong and what it may
be. After a start with such a value nothing is signed until it is mended. A key that is not known is ignored, with an
Event (\`UnknownKey\`) and a line in the log.

All values are strings: put \`true\`, \`false\` and numbers in quotes. Upper and lower case count. A key without a default
may be left empty. For \`true\` also \`1\`, \`t\`, \`T\`, \`TRUE\` and \`True\` are taken, for \`false\` likewise \`0\`, \`f\`, \`F\`,
\`FALSE\` and \`False\`. Lists have commas between their entries, with or without spaces.

${configTable()}
`;
}

/** The text of `docs/errors.md`. */
export function errorsPage(): string {
  const rows = Object.entries(errorCodes).map(([code, { meaning, remedy, terminal }]) =>
    row(`\`${code}\``, meaning, remedy, terminal ? 'no' : 'yes'),
  );
  return `${generated}

# Errors

Every error has one of these codes, in the log (\`error.code\`) and in what the library throws.

${[row('code', 'meaning', 'what to do', 'tried again'), row('---', '---', '---', '---'), ...rows].join('\n')}
`;
}

/** A text with the table of keys between its markers, where it has markers. */
export function withConfigTable(text: string): string {
  return text.replace(markers, (_, start, end) => `${start}\n\n${configTable()}\n\n${end}`);
}

/** The root of the project, where this script reads and writes. */
export const root = new URL('../', import.meta.url);

/** The files that this script writes, and what belongs into each. */
export async function documents(): Promise<ReadonlyMap<string, string>> {
  const readme = await readFile(new URL('README.md', root), 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  });
  return new Map([
    ['docs/config.md', configPage()],
    ['docs/errors.md', errorsPage()],
    ...(readme === undefined ? [] : [['README.md', withConfigTable(readme)] as const]),
  ]);
}

if (import.meta.main) {
  for (const [path, text] of await documents()) await writeFile(new URL(path, root), text);
}
