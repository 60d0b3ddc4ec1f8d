import { changesFor } from '../../config/migrate.ts';
import { configMapName, defaultSystemNamespace, parseConfig } from '../../config/parse.ts';
import { readConfigDocument } from '../input/config-document.ts';
import { textsAt } from '../input/documents.ts';
import { warningText } from '../terminal/report.ts';
import { usageError } from '../usage-error.ts';

/** The options of `chains migrate`, as parsed. */
export interface MigrateArguments {
  /** A file, or `-`. */
  readonly file: string;
}

/** The comment at the top of the ConfigMap. */
const heading = [
  ' By chains migrate: with this, Tekton Chains in TypeScript does what another Chains did with the ConfigMap before.',
  ' Each changed line says why; docs/migrating.md lists what no line can change.',
];

/**
 * `chains migrate`: prints another Chains' ConfigMap as it must be written here to mean the same, for `kubectl apply -f -`,
 * and warns of what can't be kept.
 * @throws ChainsError USAGE, CONFIG_INVALID
 */
export async function runMigrate(
  { file }: MigrateArguments,
  write: (text: string) => unknown = (text) => process.stdout.write(text),
): Promise<void> {
  if (file === '-' && process.stdin.isTTY) {
    throw usageError(
      `migrate reads the ConfigMap ${configMapName} from -f or standard input: kubectl get configmap ${configMapName} -n tekton-chains -o yaml | chains migrate`,
    );
  }
  const documents = (await textsAt(file)).map(({ name, text }) => readConfigDocument(name, text));
  const [document, ...more] = documents;
  if (document === undefined || more.length > 0)
    throw usageError(`${file} is a folder: migrate takes the file of one ConfigMap`);
  const { lines, namespace } = document;
  const changes = changesFor(lines);
  const changed = { ...lines, ...Object.fromEntries(changes.map(({ key, value }) => [key, value])) };
  // The changed ConfigMap must be valid.
  parseConfig(changed);
  const warnings = changes
    .filter(({ isOpen }) => isOpen)
    .map(({ key, why }) => `${configMapName}: ${key}: ${why}`);
  if (namespace !== defaultSystemNamespace)
    warnings.push(
      `the ConfigMap is in the namespace ${namespace}, and the controller reads the one in ${defaultSystemNamespace} unless SYSTEM_NAMESPACE says otherwise`,
    );
  for (const warning of warnings) process.stderr.write(warningText(warning));
  write(document.textWith(changes, heading));
}
