import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const src = fileURLToPath(new URL('../../src', import.meta.url));

const stages = ['extract', 'format', 'sign', 'witness', 'store'];

/** What the files of a room may import beside their own room, `model` and `keys`; the front rooms may import everything. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  model: [],
  keys: [],
  network: [],
  ...Object.fromEntries(stages.map((stage) => [stage, ['config', 'network']])),
  config: ['kubernetes'],
  kubernetes: ['network'],
  telemetry: ['kubernetes'],
  verify: ['extract', 'format', 'sign', 'store', 'config'],
  sandbox: ['kubernetes'],
  'pipeline.ts': [...stages, 'config', 'network'],
  controller: ['pipeline.ts', 'config', 'kubernetes', 'network', 'telemetry', 'sign'],
  library: ['pipeline.ts', 'config', 'controller', 'sign', 'verify'],
};

/** The room of a path below src: its folder, or the file itself. */
function roomOf(path: string): string {
  return path.split('/')[0] ?? path;
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
    .filter(
      (path) => ![room, ...(room === 'model' ? [] : ['model', 'keys']), ...rooms].includes(roomOf(path)),
    )
    .map((path) => `${file} imports ${path}`);
}

const files = (await readdir(src, { recursive: true })).filter((file) => file.endsWith('.ts'));
const texts = new Map(
  await Promise.all(files.map(async (file) => [file, await readFile(join(src, file), 'utf8')] as const)),
);

test('every room imports only what it may, so that stages never see each other', () => {
  assert.ok(files.length > 50);
  for (const [file, text] of texts) assert.deepEqual(violations(file, text), []);
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
  assert.equal(violations('store/tekton.ts', "import type { Format } from '../format/index.ts';").length, 1);
  assert.equal(violations('sign/x509.ts', "await import('../telemetry/logs.ts')").length, 1);
  assert.equal(violations('model/run.ts', "import { keys } from '../config/keys.ts';").length, 1);
});
