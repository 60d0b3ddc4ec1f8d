import {
  anyText,
  boolean,
  booleanOrManual,
  choice,
  choices,
  count,
  duration,
  list,
  text,
  url,
  type ValueType,
} from './values.ts';
import { docdbReference, kmsReference } from './references.ts';

/** One key of the ConfigMap. */
export interface Key<T> {
  readonly type: ValueType<T>;
  /** As written in the ConfigMap; a key that is left out or empty and has no default is undefined. */
  readonly default?: string;
  /** One line, for `docs/config.md`. */
  readonly doc: string;
  /** True where the value must not be shown anywhere. */
  readonly secret?: boolean;
}

const runFormat = choice('tekton', 'in-toto', 'slsa/v1', 'slsa/v2alpha3', 'slsa/v2alpha4');
const imageFormat = choice('tekton', 'simplesigning');
/** Every store. */
export const storeNames = ['tekton', 'oci', 'gcs', 'docdb', 'grafeas', 'pubsub', 'archivista'] as const;
const storage = choices(storeNames, { kafka: 'pubsub' });
// No release of Chains has accepted kafka for PipelineRuns.
const pipelineRunStorage = choices(storeNames);
const signer = choice('pgp', 'x509', 'kms', 'none');
const path = text('the path of a file');
/** Where identity tokens come from, in the order in which they are tried. */
export const identityProviders = [
  'filesystem',
  'filesystem-custom-path',
  'spiffe',
  'google-workload-identity',
  'github-actions',
  'buildkite-agent',
  'kubernetes',
] as const;

/** Every key of the ConfigMap `chains-config` (behaviour.md): its type, its default, and what it is for. */
export const keys = {
  'artifacts.taskrun.format': {
    type: runFormat,
    default: 'tekton',
    doc: 'The format of TaskRun payloads.',
  },
  'artifacts.taskrun.storage': {
    type: storage,
    default: 'tekton',
    doc: 'Where TaskRun payloads and signatures are stored.',
  },
  'artifacts.taskrun.signer': {
    type: signer,
    default: 'x509',
    doc: 'What signs TaskRun payloads; `none` turns TaskRun signing off.',
  },
  'artifacts.pipelinerun.format': {
    type: runFormat,
    default: 'in-toto',
    doc: 'The format of PipelineRun payloads.',
  },
  'artifacts.pipelinerun.storage': {
    type: pipelineRunStorage,
    default: 'tekton',
    doc: 'Where PipelineRun payloads and signatures are stored.',
  },
  'artifacts.pipelinerun.signer': {
    type: signer,
    default: 'x509',
    doc: 'What signs PipelineRun payloads; `none` turns PipelineRun signing off.',
  },
  'artifacts.pipelinerun.enable-deep-inspection': {
    type: boolean,
    default: 'false',
    doc: "Whether a PipelineRun's provenance also takes inputs and outputs from the results of its TaskRuns.",
  },
  'artifacts.oci.format': {
    type: imageFormat,
    default: 'simplesigning',
    doc: 'The format of the payloads of images that a run built.',
  },
  'artifacts.oci.storage': {
    type: storage,
    default: 'oci',
    doc: 'Where image payloads and signatures are stored.',
  },
  'artifacts.oci.signer': {
    type: signer,
    default: 'x509',
    doc: 'What signs image payloads; `none` turns image signing off.',
  },
  'storage.gcs.bucket': {
    type: text('the name of a bucket'),
    doc: 'The Google Cloud Storage bucket of the store `gcs`.',
  },
  'storage.oci.repository': {
    type: text(
      'a repository such as `registry.example.com/signatures`, without scheme, tag or digest',
      /^([\w.-]+|\[[0-9a-fA-F:]+\])(:\d+)?(\/[\w.-]+)*$/,
    ),
    doc: "Where the store `oci` pushes; unset, it pushes to the image's own repository.",
  },
  'storage.oci.repository.insecure': {
    type: boolean,
    default: 'false',
    doc: 'Whether the store `oci` may speak plain HTTP, or HTTPS with an untrusted certificate.',
  },
  'storage.oci.encoding-format': {
    type: choice('dsse', 'sigstore-bundle'),
    default: 'dsse',
    doc: 'How the store `oci` writes: tags `.sig` and `.att`, or Sigstore bundles as referrers.',
  },
  'storage.docdb.url': {
    type: docdbReference,
    doc: 'The collection of the store `docdb`.',
  },
  'storage.docdb.mongo-server-url': {
    type: text('a URL that starts with `mongodb://` or `mongodb+srv://`', /^mongodb(\+srv)?:\/\/\S+$/),
    doc: "The MongoDB server for `mongo://`; unset, the environment's `MONGO_SERVER_URL`.",
    secret: true,
  },
  'storage.docdb.mongo-server-url-dir': {
    type: text('the path of a folder'),
    doc: 'A folder with a file `MONGO_SERVER_URL`, re-read when it changes; takes precedence over `storage.docdb.mongo-server-url`.',
  },
  'storage.docdb.mongo-server-url-path': {
    type: path,
    doc: "A file with the MongoDB server's URL, re-read when it changes; takes precedence over `storage.docdb.mongo-server-url-dir`.",
  },
  'storage.grafeas.projectid': {
    type: text('the id of a project'),
    doc: 'The Google Cloud project of the store `grafeas`.',
  },
  'storage.grafeas.noteid': {
    type: text("the start of a note's name"),
    doc: "What the names of the notes in the store `grafeas` start with; unset, `tekton-` and the run's namespace.",
  },
  'storage.grafeas.notehint': {
    type: anyText,
    default: 'This attestation note was generated by Tekton Chains',
    doc: 'The human-readable name of the attestation note.',
  },
  'storage.archivista.url': {
    type: url,
    doc: 'The server of the store `archivista`.',
  },
  'storage.pubsub.provider': {
    type: choice('kafka', 'gcp'),
    doc: 'What the store `pubsub` publishes to. The storage `kafka` is an alias of `pubsub` with `kafka` here.',
  },
  'storage.pubsub.topic': {
    type: text('the name of a topic'),
    doc: "The topic of the store `pubsub`; for `gcp` its full name, or its name in the credential's project.",
  },
  'storage.pubsub.kafka.bootstrap.servers': {
    type: list('`host:port`'),
    default: '',
    doc: 'The Kafka servers to ask first.',
  },
  'signers.kms.kmsref': {
    type: kmsReference,
    doc: 'The key of the signer `kms`. `padding=pss` makes an RSA key sign with PSS instead of PKCS #1 v1.5.',
  },
  'signers.kms.auth.address': {
    type: url,
    doc: "The address of Vault or OpenBao; unset, the environment's `VAULT_ADDR` or `BAO_ADDR`.",
  },
  'signers.kms.auth.token': {
    type: text('a token'),
    doc: 'The token for Vault or OpenBao. Better kept in a file: `signers.kms.auth.token-path`.',
    secret: true,
  },
  'signers.kms.auth.token-path': {
    type: path,
    doc: 'A file with the token for Vault or OpenBao, re-read when it changes; takes precedence over `signers.kms.auth.token`.',
  },
  'signers.kms.auth.oidc.path': {
    type: text('the path of an auth method'),
    doc: 'The JWT auth method of Vault or OpenBao to log in at (`auth/PATH/login`); unset, `jwt`.',
  },
  'signers.kms.auth.oidc.role': {
    type: text('the name of a role'),
    doc: "The role to log in as; unset, the auth method's default role.",
  },
  'signers.kms.auth.oidc.token-path': {
    type: path,
    doc: "A file with the token to log in with; unset, the service account's own.",
  },
  'signers.kms.auth.spire.sock': {
    type: text('the address of a socket'),
    doc: "The SPIRE agent's socket that gives the token to log in with; takes precedence over `signers.kms.auth.oidc.token-path`.",
  },
  'signers.kms.auth.spire.audience': {
    type: text('an audience'),
    doc: 'The audience of the token from SPIRE.',
  },
  'signers.x509.fulcio.enabled': {
    type: boolean,
    default: 'false',
    doc: "Whether `x509` signs with short-lived keys that Fulcio certifies, instead of a key of one's own.",
  },
  'signers.x509.fulcio.address': {
    type: url,
    default: 'https://fulcio.sigstore.dev',
    doc: 'The Fulcio server.',
  },
  'signers.x509.fulcio.issuer': {
    type: url,
    default: 'https://oauth2.sigstore.dev/auth',
    doc: 'The OIDC issuer of the identity token. Accepted for compatibility and not used: a token names its own issuer.',
  },
  'signers.x509.fulcio.provider': {
    type: choice(...identityProviders),
    doc: 'Where the identity token for Fulcio comes from; unset, the first of these that has one.',
  },
  'signers.x509.identity.token.file': {
    type: path,
    doc: 'A file with the identity token for Fulcio, re-read each time; makes the provider `filesystem-custom-path`.',
  },
  'signers.x509.tuf.mirror.url': {
    type: url,
    default: 'https://tuf-repo-cdn.sigstore.dev',
    doc: 'The TUF repository that says which certificate authorities, logs and timestamp servers to trust.',
  },
  'transparency.enabled': {
    type: booleanOrManual,
    default: 'false',
    doc: 'Whether signatures go to the transparency log; `manual`: those of runs annotated `chains.tekton.dev/transparency-upload: "true"`.',
  },
  'transparency.url': {
    type: url,
    default: 'https://rekor.sigstore.dev',
    doc: 'The transparency log (Rekor).',
  },
  'transparency.api': {
    type: choice('v1', 'v2'),
    default: 'v1',
    doc: 'Which API the transparency log has: that of Rekor v1, or of v2, which proves no time and so needs `transparency.tsa.url`.',
  },
  'transparency.tsa.url': {
    type: url,
    doc: 'A timestamp server (RFC 3161), whole: `https://timestamp.sigstore.dev/api/v1/timestamp`; unset, signatures get no timestamp.',
  },
  'builder.id': {
    type: anyText,
    default: 'https://tekton.dev/chains/v2',
    doc: "The builder's id in provenance.",
  },
  'builddefinition.buildtype': {
    type: choice('https://tekton.dev/chains/v2/slsa', 'https://tekton.dev/chains/v2/slsa-tekton'),
    default: 'https://tekton.dev/chains/v2/slsa',
    doc: 'The build type in provenance of the formats `slsa/v2alpha3` and `slsa/v2alpha4`.',
  },
  'filter.managed-by': {
    type: list('names'),
    default: '',
    doc: 'Runs with one of these in `spec.managedBy` are signed too; others that are not managed by Tekton itself are not.',
  },
  'events.signed': {
    type: choice('auto', 'true', 'false'),
    default: 'auto',
    doc: 'Whether a signed run gets an Event that says where payloads and signatures are; `auto`: where a store other than `tekton` has them.',
  },
  'events.skipped': {
    type: boolean,
    default: 'false',
    doc: 'Whether a run that is done and is not signed on purpose gets an Event that says why.',
  },
  'limits.exchange-timeout': {
    type: duration,
    default: '30s',
    doc: 'How long one exchange with a registry may take, from the first connection to the last byte.',
  },
  'limits.store-timeout': {
    type: duration,
    default: '60s',
    doc: 'How long storing one artifact in one store may take.',
  },
  'limits.try-timeout': {
    type: duration,
    default: '120s',
    doc: 'How long one try to sign a run may take; after it the run is tried again, as after any failure.',
  },
  'limits.images-per-run': {
    type: count,
    default: '250',
    doc: 'How many images of one run are signed; a message on the run says that there were more.',
  },
  'signing.retry-deadline': {
    type: duration,
    default: '1h',
    doc: 'How long signing a run is tried again before it is marked `failed`.',
  },
  'signing.deletion-grace': {
    type: duration,
    default: '5m',
    doc: 'How long a run that is being deleted is held to be signed first.',
  },
} as const satisfies Record<string, Key<unknown>>;

/** The name of a key of the ConfigMap. */
export type KeyName = keyof typeof keys;

/** True for the name of a key. */
export function isKeyName(text: string): text is KeyName {
  return Object.hasOwn(keys, text);
}

type ValueOf<K> = K extends { readonly type: ValueType<infer T> }
  ? K extends { readonly default: string }
    ? T
    : T | undefined
  : never;

/** A whole configuration: every key with its typed value, or undefined where it is unset and has no default. */
export type Config = { readonly [K in KeyName]: ValueOf<(typeof keys)[K]> };

/** A payload format's name in the ConfigMap. */
export type FormatName = Config['artifacts.taskrun.format'] | Config['artifacts.oci.format'];

/** The file or folder of `src/format/` for each format. */
export const formatFolders = {
  tekton: 'tekton',
  simplesigning: 'simplesigning',
  'in-toto': 'slsa-v0.2',
  'slsa/v1': 'slsa-v0.2',
  'slsa/v2alpha3': 'slsa-v1',
  'slsa/v2alpha4': 'slsa-v1',
} as const satisfies { readonly [K in FormatName]: string };

/** A file or folder of `src/format/`. */
export type FormatFolder = (typeof formatFolders)[FormatName];

/** A store's name in the ConfigMap. */
export type StoreName = Config['artifacts.taskrun.storage'][number];

/** True for the name of a store. */
export function isStoreName(text: string): text is StoreName {
  return storeNames.some((name) => name === text);
}

/** A provider of identity tokens. */
export type IdentityProvider = NonNullable<Config['signers.x509.fulcio.provider']>;

/** A signer's name in the ConfigMap. */
export type SignerName = Config['artifacts.taskrun.signer'];
