import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const src = fileURLToPath(new URL('../../src', import.meta.url));

const stages = ['extract', 'format', 'sign', 'witness', 'store'];

/** What the files of a room may import beside their own room and `model`; the front rooms may import everything. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  model: [],
  network: [],
  ...Object.fromEntries(stages.map((stage) => [stage, ['config', 'network']])),
  config: ['kubernetes'],
  kubernetes: ['network'],
  telemetry: ['kubernetes'],
  verify: ['extract', 'sign', 'store', 'config'],
  sandbox: ['kubernetes'],
  'pipeline.ts': [...stages, 'config'],
  controller: ['pipeline.ts', 'config', 'kubernetes', 'telemetry', 'sign'],
  library: ['pipeline.ts', 'config', 'controller', 'sign', 'verify'],
};

/** The room of a path below src: its folder, or the file itself. */
function roomOf(path: string): string {
  return path.split('/')[0] ?? path;
}

/** The forbidden imports of a file, types included. */
function violations(file: string, text: string): readonly string[] {
  const room = roomOf(file);
  const rooms = allowed[room];
  if (rooms === undefined) return [];
  const imports = [...text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map(([, path = '']) =>
    join(dirname(file), path),
  );
  return imports
    .filter((path) => ![room, 'model', ...rooms].includes(roomOf(path)))
    .map((path) => `${file} imports ${path}`);
}

test('every room imports only what it may, so that stages never see each other', async () => {
  const files = (await readdir(src, { recursive: true })).filter((file) => file.endsWith('.ts'));
  assert.ok(files.length > 50);
  for (const file of files) {
    const path = relative(src, join(src, file));
    assert.deepEqual(violations(path, await readFile(join(src, file), 'utf8')), []);
  }
});

test('an import of one stage by another, or of telemetry by a stage, is found', () => {
  assert.equal(violations('store/tekton.ts', "import type { Format } from '../format/index.ts';").length, 1);
  assert.equal(violations('sign/x509.ts', "await import('../telemetry/logs.ts')").length, 1);
  assert.equal(violations('model/run.ts', "import { keys } from '../config/keys.ts';").length, 1);
});
