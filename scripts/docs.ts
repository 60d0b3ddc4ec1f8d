// Writes docs/config.md, and the parts of other pages that stand between markers, from the tables in the source.

import { readFile, writeFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { keys } from '../src/config/keys.ts';
import { explain } from '../src/index.ts';
import { errorCodes } from '../src/errors.ts';
import { eventReasons } from '../src/kubernetes/event-reasons.ts';
import { Metrics } from '../src/telemetry/metrics.ts';
import { allPlaces, combinationRows } from '../test/store/combinations.ts';
import { dashboard } from './dashboard.ts';
import { alertTable, prometheusRule } from './alerts.ts';
import { table } from './table.ts';

interface Documented {
  readonly type: { readonly allowed: string };
  readonly default?: string;
  readonly doc: string;
}

const generated = '<!-- Made by `npm run docs`; change the table in the source, not this file. -->';

/** The table of all keys of the ConfigMap, in Markdown. */
export function configTable(): string {
  const rows = Object.entries<Documented>(keys).map(([name, key]) => {
    const value = key.default === undefined || key.default === '' ? '' : `\`${key.default}\``;
    return [`\`${name}\``, key.doc, key.type.allowed, value];
  });
  return table(['key', 'what for', 'allowed', 'default'], rows);
}

/** The text of `docs/config.md`. */
export function configPage(): string {
  return `${generated}

# Configuration

The keys of the ConfigMap \`chains-config\` in the namespace \`tekton-chains\`. Changes take effect without a restart;
without the ConfigMap, the defaults apply.

A value that is not allowed changes nothing: the last good configuration stays in force, and an Event on the ConfigMap
(\`InvalidConfiguration\`), the log, the metric \`chains_config_valid\` and readiness say which key is wrong and what it may
be. After a start with such a value nothing is signed until it is fixed. A key that is not known is ignored, with an
Event (\`UnknownKey\`) and a line in the log.

All values are strings: put \`true\`, \`false\` and numbers in quotes. Values are case-sensitive. A key without a default
may be left empty. For \`true\` also \`1\`, \`t\`, \`T\`, \`TRUE\` and \`True\` are accepted, for \`false\` likewise \`0\`, \`f\`, \`F\`,
\`FALSE\` and \`False\`. Lists have commas between their entries, with or without spaces.

${configTable()}
`;
}

function errorTable(): string {
  const rows = Object.entries(errorCodes).map(([code, { meaning, remedy, terminal }]) => [
    `\`${code}\``,
    meaning,
    remedy,
    terminal ? 'no' : 'yes',
  ]);
  return table(['code', 'meaning', 'what to do', 'tried again'], rows);
}

function eventTable(): string {
  const rows = Object.entries(eventReasons).map(([reason, { about, type, meaning, remedy }]) => [
    `\`${reason}\``,
    `${about}, ${type}`,
    meaning,
    remedy,
  ]);
  return table(['reason', 'on', 'meaning', 'what to do'], rows);
}

/** Every metric of our own, as the page of a controller that has just started tells it. */
async function metricTable(): Promise<string> {
  const metrics = new Metrics();
  metrics.members(() => 1);
  metrics.queue(() => ({ depth: 0, oldestSeconds: 0, waiting: 0 }));
  const { body } = await metrics.page();
  const rows = [...body.matchAll(/^# HELP ((?:watcher|chains)_\S+) (.*)\n# TYPE \S+ (\S+)$/gm)].map(
    ([, name = '', help = '', type = '']) => [`\`${name}\``, type, help],
  );
  return table(['metric', 'type', 'what it counts'], rows);
}

function combinationTables(): string {
  const heads = ['artifact, format', ...allPlaces.map(([, { name }]) => name)];
  const readers = allPlaces.map(([, { name, readBack, tools, tests }]) => [
    name,
    readBack,
    tools,
    tests.map((path) => `[${path.replace(/^.*\/|\.servers\.test\.ts$/g, '')}](../${path})`).join(', '),
  ]);
  const how = ['store', 'read back in `npm test` from', 'verified or read by', 'in'];
  return `${table(heads, combinationRows())}\n\n${table(how, readers)}`;
}

/** A payload of the example, as the library makes it. */
async function payload(kind: 'taskrun' | 'oci', format: string): Promise<string> {
  const run: unknown = parse(await readFile(new URL('examples/finished-task-run.yaml', root), 'utf8'));
  const { artifacts } = await explain({ run, config: { [`artifacts.${kind}.format`]: format } });
  const found = artifacts.find((artifact) => artifact.kind === kind);
  return `\`\`\`json\n${JSON.stringify(found?.payload, undefined, 2)}\n\`\`\``;
}

/** Puts a text between the markers of this name; a text without them stays as it is. */
export function fill(text: string, name: string, content: string): string {
  const markers = new RegExp(`(<!-- ${name} -->)[^]*?(<!-- /${name} -->)`);
  return text.replace(markers, (_, start, end) => `${start}\n\n${content}\n\n${end}`);
}

/** The root of the project, where this script reads and writes. */
export const root = new URL('../', import.meta.url);

const rulesFile = new URL('deploy/monitoring/rules.yaml', root);

/** Pages with what stands between their markers, by the markers' names. */
const parts: Readonly<Record<string, Readonly<Record<string, () => string | Promise<string>>>>> = {
  'docs/operating.md': {
    metrics: metricTable,
    alerts: async () => alertTable(await readFile(rulesFile, 'utf8')),
  },
  'docs/provenance.md': {
    'payload tekton': () => payload('taskrun', 'tekton'),
    'payload slsa/v1': () => payload('taskrun', 'slsa/v1'),
    'payload slsa/v2alpha3': () => payload('taskrun', 'slsa/v2alpha3'),
    'payload slsa/v2alpha4': () => payload('taskrun', 'slsa/v2alpha4'),
    'payload simplesigning': () => payload('oci', 'simplesigning'),
  },
  'docs/storage.md': { combinations: combinationTables },
  'docs/troubleshooting.md': { errors: errorTable, events: eventTable },
};

/** The files that this script writes, and what belongs into each. */
export async function documents(): Promise<ReadonlyMap<string, string>> {
  const made = new Map([
    ['docs/config.md', configPage()],
    ['deploy/monitoring/dashboard.json', dashboard()],
    ['deploy/monitoring/prometheusrule.yaml', prometheusRule(await readFile(rulesFile, 'utf8'))],
  ]);
  for (const [path, markers] of Object.entries(parts)) {
    let text = await readFile(new URL(path, root), 'utf8');
    for (const [name, content] of Object.entries(markers)) {
      if (!text.includes(`<!-- ${name} -->`)) throw new Error(`${path} has no place for ${name}`);
      text = fill(text, name, await content());
    }
    made.set(path, text);
  }
  return made;
}

if (import.meta.main) {
  for (const [path, text] of await documents()) await writeFile(new URL(path, root), text);
}
