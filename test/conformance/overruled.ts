import type { Json } from '../../src/json.ts';

/** What this project makes of a case on purpose, and the path of the payload at which it differs from the reference. */
export interface Overruled {
  readonly at: readonly string[];
  readonly is: Json | undefined;
}

const builder = {
  uri: 'oci://gcr.io/tools/builder',
  digest: { sha256: '1'.repeat(64) },
};
const input = (uri: string, digest: Json) => ({ name: 'inputs/result', uri, digest });
const materials = ['predicate', 'materials'] as const;
const dependencies = ['predicate', 'buildDefinition', 'resolvedDependencies'] as const;

/** Decision 0080: hints are cleaned and checked, and a step whose image has no digest costs its material alone. */
export const overruled: ReadonlyMap<string, readonly Overruled[]> = new Map([
  [
    'v027-outputs-digest-raw',
    [
      {
        at: ['subject'],
        is: [
          { name: 'u1', digest: { SHA256: 'a'.repeat(64) } },
          { name: 'u2', digest: { sha256: 'b'.repeat(64) } },
        ],
      },
      {
        at: dependencies,
        is: [builder, input('i1', { sha256: 'a'.repeat(64) }), input('i2', { sha256: 'b'.repeat(64) })],
      },
    ],
  ],
  [
    'v032-git-precedence',
    [
      {
        at: materials,
        is: [
          builder,
          { uri: 'git+https://param.git', digest: { sha1: 'fedcba9876543210fedcba9876543210fedcba98' } },
        ],
      },
    ],
  ],
  // Without `oci://` the image is another entry's, which the payload has already under its name with `https:`.
  [
    'v012-image-names-odd',
    [
      {
        at: ['subject'],
        is: [
          'https://gcr.io/acme/app',
          'gcr.io/acme/app',
          'gcr.io//acme/app',
          'index.docker.io//acme/app',
          'gcr.io/acme/app/',
          '[::1]:5000/app',
          'gcr.io:99999/acme/app',
        ].map((name) => ({ name, digest: { sha256: 'a'.repeat(64) } })),
      },
    ],
  ],
  ['v033-git-commit-only', [{ at: materials, is: [builder] }]],
  [
    'v091-a4-step-git',
    [
      {
        at: dependencies,
        is: [
          builder,
          input('git+https://github.com/acme/app.git', { sha1: '0123456789abcdef0123456789abcdef01234567' }),
        ],
      },
    ],
  ],
  ['v041-imageid-empty', [{ at: materials, is: undefined }]],
  ['v042-imageid-bad', [{ at: dependencies, is: undefined }]],
  ['v043-imageid-two-colons', [{ at: dependencies, is: undefined }]],
  ['v044-sidecar-bad', [{ at: materials, is: [builder] }]],
  ['v116-pr-bad-imageid', [{ at: materials, is: undefined }]],
  ['v155-pr2-bad-imageid', [{ at: dependencies, is: [builder] }]],
]);
