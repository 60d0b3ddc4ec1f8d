import { type KeyChange, changesFor, type Lines } from '../../config/migrate.ts';
import { configMapName, parseConfig } from '../../config/parse.ts';
import { ChainsError } from '../../errors.ts';
import { type ConfigDocument, readConfigDocument } from '../input/config-document.ts';
import { textsAt } from '../input/documents.ts';
import { warningText } from '../terminal/report.ts';

/** The options of `chains migrate`, as parsed. */
export interface MigrateArguments {
  /** A file, or `-`. */
  readonly file: string;
}

/** What is written on top of the ConfigMap. */
const heading = [
  ' By chains migrate: with this, Tekton Chains in TypeScript does what another Chains did with the ConfigMap before.',
  ' Each line that is written differently says why; docs/migrating.md has what no line can change.',
];

/**
 * `chains migrate`: prints another Chains' ConfigMap as it must be written here to mean the same, for `kubectl apply -f -`.
 * What can't be kept is also warned about.
 * @throws ChainsError USAGE, CONFIG_INVALID
 */
export async function runMigrate(
  { file }: MigrateArguments,
  write: (text: string) => unknown = (text) => process.stdout.write(text),
): Promise<void> {
  if (file === '-' && process.stdin.isTTY) {
    throw new ChainsError(
      'USAGE',
      `migrate reads the ConfigMap ${configMapName} from -f or standard input: kubectl get configmap ${configMapName} -n tekton-chains -o yaml | chains migrate`,
    );
  }
  const documents = (await textsAt(file)).map(({ name, text }) => readConfigDocument(name, text));
  const [document, ...more] = documents;
  if (document === undefined || more.length > 0)
    throw new ChainsError('USAGE', `${file} is a folder: migrate takes the file of one ConfigMap`);
  const changes = changesFor(document.lines);
  parseConfig(after(document.lines, changes));
  for (const warning of [...changes.filter(({ isOpen }) => isOpen).map(warningOf), ...elsewhere(document)])
    process.stderr.write(warningText(warning));
  write(document.textWith(changes, heading));
}

/** The lines once they are changed. */
function after(lines: Lines, changes: readonly KeyChange[]): Lines {
  const entries = new Map<string, string | undefined>(Object.entries(lines));
  for (const { key, value } of changes) entries.set(key, value);
  return Object.fromEntries(
    [...entries].flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );
}

function warningOf({ key, why }: KeyChange): string {
  return `${configMapName}: ${key}: ${why}`;
}

function elsewhere({ namespace }: ConfigDocument): readonly string[] {
  return namespace === 'tekton-chains'
    ? []
    : [
        `the ConfigMap is in the namespace ${namespace}, and the controller reads the one in tekton-chains unless SYSTEM_NAMESPACE says otherwise`,
      ];
}
