import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const project = fileURLToPath(new URL('../..', import.meta.url));

const stages = ['extract', 'format', 'sign', 'witness', 'store'];

/** The stages that know Sigstore's formats and whom to trust. */
const ofSigstore = ['sign', 'witness', 'store'];

/** What every room stands on: each of these files imports only others of them. */
const foundations = ['concurrency', 'errors', 'json', 'text', 'version'].map((name) => `${name}.ts`);

/** What the files of a room may import beside their own room and the foundations; rooms that aren't named may import all. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(foundations.map((file) => [file, []])),
  tekton: [],
  model: ['tekton'],
  keys: ['model'],
  sigstore: ['model', 'keys', 'config', 'http'],
  http: [],
  registry: ['model', 'http'],
  config: ['model', 'tekton'],
  decide: ['model', 'config'],
  ...Object.fromEntries(stages.map((stage) => [stage, ['model', 'tekton', 'keys', 'config', 'http']])),
  ...Object.fromEntries(
    ofSigstore.map((stage) => [stage, ['model', 'tekton', 'keys', 'config', 'http', 'sigstore']]),
  ),
  store: ['model', 'tekton', 'keys', 'config', 'http', 'registry', 'sigstore'],
  kubernetes: ['model', 'http'],
  telemetry: ['model', 'kubernetes'],
  install: ['model', 'kubernetes'],
  members: ['model', 'config', 'kubernetes', 'telemetry'],
  verify: [
    ...['model', 'tekton', 'keys', 'config', 'extract', 'format', 'sign', 'witness', 'store'],
    ...['registry', 'sigstore'],
  ],
  'backends.ts': [...stages, 'model', 'config', 'sigstore'],
  'drafts.ts': ['extract', 'format', 'model', 'config'],
  'outcome.ts': ['drafts.ts', 'store', 'model', 'config'],
  'pipeline.ts': ['backends.ts', 'drafts.ts', 'outcome.ts', 'sign', 'store', 'model', 'config'],
  controller: [
    'pipeline.ts',
    'backends.ts',
    'model',
    'config',
    'decide',
    'extract',
    'kubernetes',
    'members',
    'telemetry',
    'sign',
  ],
  library: [
    'pipeline.ts',
    'drafts.ts',
    'store',
    'model',
    'config',
    'decide',
    'extract',
    'sign',
    'sigstore',
    'verify',
  ],
  sandbox: ['model', 'kubernetes'],
};

/** The room of a file: its folder in src, the file itself where it lies there openly, or the sandbox. */
function roomOf(path: string): string {
  const [top, room] = path.split('/');
  return (top === 'src' ? room : top) ?? path;
}

/** The files of ours that a file imports: types and lazy imports too. */
function importsOf(file: string, text: string): readonly string[] {
  return [...text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map(([, path = '']) =>
    join(dirname(file), path),
  );
}

/** The first circle of imports that is met; undefined where there is none. */
function circleIn(imports: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const free = new Set<string>();
  const search = (file: string, way: readonly string[]): readonly string[] | undefined => {
    if (way.includes(file)) return [...way.slice(way.indexOf(file)), file];
    if (free.has(file)) return undefined;
    for (const next of imports.get(file) ?? []) {
      const circle = search(next, [...way, file]);
      if (circle !== undefined) return circle;
    }
    free.add(file);
    return undefined;
  };
  for (const file of imports.keys()) {
    const circle = search(file, []);
    if (circle !== undefined) return circle;
  }
  return undefined;
}

/** The forbidden imports of a file, types included. */
function violations(file: string, text: string): readonly string[] {
  const room = roomOf(file);
  const rooms = allowed[room];
  if (rooms === undefined) return [];
  return importsOf(file, text)
    .filter((path) => ![room, ...foundations, ...rooms].includes(roomOf(path)))
    .map((path) => `${file} imports ${path}`);
}

const files = (
  await Promise.all(
    ['src', 'sandbox'].map(async (top) =>
      (await readdir(join(project, top), { recursive: true })).map((file) => join(top, file)),
    ),
  )
)
  .flat()
  .filter((file) => file.endsWith('.ts'));
const texts = new Map(
  await Promise.all(files.map(async (file) => [file, await readFile(join(project, file), 'utf8')] as const)),
);

test('every room imports only what it may, so that stages never see each other', () => {
  assert.ok(files.length > 50);
  assert.deepEqual(
    [...texts].flatMap(([file, text]) => violations(file, text)),
    [],
  );
});

test('no imports run in a circle, types and lazy imports included', () => {
  const imports = new Map([...texts].map(([file, text]) => [file, importsOf(file, text)]));
  assert.ok([...imports.values()].flat().every((path) => texts.has(path)));
  assert.equal(circleIn(imports), undefined);
});

test('a circle is found', () => {
  const imports = [
    ['a.ts', importsOf('a.ts', "import('./b.ts')")],
    ['b.ts', importsOf('b.ts', "from './a.ts'")],
  ] as const;
  assert.deepEqual(circleIn(new Map(imports)), ['a.ts', 'b.ts', 'a.ts']);
});

test('an import of one stage by another, or of telemetry by a stage, is found', () => {
  assert.equal(
    violations('src/store/tekton.ts', "import type { Format } from '../format/index.ts';").length,
    1,
  );
  assert.equal(violations('src/sign/x509.ts', "await import('../telemetry/logs.ts')").length, 1);
  assert.equal(violations('src/model/run.ts', "import { keys } from '../config/keys.ts';").length, 1);
});
