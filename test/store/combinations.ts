import type { FormatName } from '../../src/config/keys.ts';
import type { ArtifactKind } from '../../src/model/artifact.ts';
import type { ErrorCode } from '../../src/errors.ts';
import { combinations } from './entries.ts';

/** What becomes of an artifact at a place: how it is stored, in a word or two, or the error that says why not. */
export type Fate = { readonly stored: string } | { readonly refused: ErrorCode };

/** A store, or one of its ways, and what it does with each artifact. */
export interface Place {
  readonly name: string;
  readonly settings: Readonly<Record<string, string>>;
  fate(kind: ArtifactKind, format: FormatName): Fate;
  /** What the signature is read back from. */
  readonly readBack: string;
  /** The tools that verify it, and the tests of `npm run test:servers` in which they do. */
  readonly tools: string;
  readonly tests: readonly string[];
}

const every = (): Fate => ({ stored: '✔' });
const openssl = 'test/servers/combinations.servers.test.ts';

/** An envelope is what counts there: statements have one. */
function envelopes(kind: ArtifactKind, format: FormatName): Fate {
  return kind === 'oci' || format === 'tekton' ? { refused: 'CONFIG_INVALID' } : { stored: 'envelope' };
}

/** Every store of the ConfigMap, databases, providers and encodings each by itself. docs/storage.md shows this. */
export const places = {
  tekton: {
    name: '`tekton`',
    settings: { store: 'tekton' },
    fate: every,
    readBack: "the run's annotations",
    tools: 'openssl, gpg; kubectl reads',
    tests: [openssl, 'test/servers/gpg.servers.test.ts', 'test/servers/walkthrough.servers.test.ts'],
  },
  tags: {
    name: '`oci`, `dsse`',
    settings: { store: 'oci' },
    fate: (kind, format) => ({
      stored: format === 'tekton' ? 'referrer' : kind === 'oci' ? '`.sig`' : '`.att`',
    }),
    readBack: "the sandbox's registry",
    tools: 'cosign 2 and 3; openssl for referrers; oras reads',
    tests: [openssl, 'test/servers/cosign-oci.servers.test.ts', 'test/servers/registries.servers.test.ts'],
  },
  bundles: {
    name: '`oci`, `sigstore-bundle`',
    settings: { store: 'oci', 'storage.oci.encoding-format': 'sigstore-bundle' },
    fate: (_, format) => ({ stored: format === 'tekton' ? 'referrer' : 'bundle' }),
    readBack: "the sandbox's registry",
    tools: 'cosign 3; openssl for referrers; oras reads',
    tests: [openssl, 'test/servers/cosign-oci.servers.test.ts', 'test/servers/registries.servers.test.ts'],
  },
  gcs: {
    name: '`gcs`',
    settings: { store: 'gcs', 'storage.gcs.bucket': 'chains' },
    fate: every,
    readBack: 'a double',
    tools: 'openssl, what fake-gcs-server holds',
    tests: [openssl, 'test/servers/gcs.servers.test.ts'],
  },
  firestore: {
    name: '`docdb`, Firestore',
    settings: {
      store: 'docdb',
      'storage.docdb.url': 'firestore://projects/p/databases/(default)/documents/chains?name_field=name',
    },
    fate: every,
    readBack: 'a double',
    tools: 'openssl',
    tests: [openssl],
  },
  mongo: {
    name: '`docdb`, MongoDB',
    settings: { store: 'docdb', 'storage.docdb.url': 'mongo://ci/chains?id_field=name' },
    fate: every,
    readBack: 'a double',
    tools: 'openssl, what FerretDB holds and go-cloud reads',
    tests: [openssl, 'test/servers/mongo.servers.test.ts'],
  },
  dynamodb: {
    name: '`docdb`, DynamoDB',
    settings: { store: 'docdb', 'storage.docdb.url': 'dynamodb://chains?partition_key=name' },
    fate: every,
    readBack: 'dynalite',
    tools: 'openssl, what DynamoDB Local holds and go-cloud reads',
    tests: [openssl, 'test/servers/dynamodb.servers.test.ts'],
  },
  grafeas: {
    name: '`grafeas`',
    settings: { store: 'grafeas', 'storage.grafeas.projectid': 'acme' },
    fate: (kind, format) =>
      format === 'tekton'
        ? { refused: 'CONFIG_INVALID' }
        : { stored: kind === 'oci' ? 'attestation' : 'build' },
    readBack: 'a double',
    tools: 'openssl',
    tests: [openssl],
  },
  archivista: {
    name: '`archivista`',
    settings: { store: 'archivista' },
    fate: envelopes,
    readBack: 'a double',
    tools: 'openssl',
    tests: [openssl],
  },
  pubsub: {
    name: '`pubsub`, `gcp`',
    settings: {
      store: 'pubsub',
      'storage.pubsub.provider': 'gcp',
      'storage.pubsub.topic': 'projects/acme/topics/chains',
    },
    fate: every,
    readBack: 'a double',
    tools: 'openssl',
    tests: [openssl],
  },
  kafka: {
    name: '`pubsub`, `kafka`',
    settings: { store: 'pubsub', 'storage.pubsub.provider': 'kafka', 'storage.pubsub.topic': 'chains' },
    fate: every,
    readBack: 'Kafka itself, in `npm run test:servers`',
    tools: 'openssl, what Kafka holds; its own consumer reads envelopes',
    tests: [openssl, 'test/servers/pubsub.servers.test.ts'],
  },
} as const satisfies Record<string, Place>;

/** The name of one of {@link places}. */
export type PlaceName = keyof typeof places;

/** {@link places} with their names, as the test and the page go through them. */
export const allPlaces: readonly (readonly [string, Place])[] = Object.entries(places);

const kinds = { taskrun: 'TaskRun', pipelinerun: 'PipelineRun', oci: 'image' } as const;

/** The rows of the table in docs/storage.md: an artifact in a format, and what becomes of it at each place. */
export function combinationRows(): readonly (readonly string[])[] {
  const fates = ({ kind, format }: (typeof combinations)[number]) =>
    allPlaces.map(([, place]) => {
      const fate = place.fate(kind, format);
      return 'refused' in fate ? `\`${fate.refused}\`` : fate.stored;
    });
  return combinations.map((one) => [`${kinds[one.kind]}, \`${one.format}\``, ...fates(one)]);
}
