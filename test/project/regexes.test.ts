import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { slowestAttack } from './regex-attacks.ts';
import { regexLiterals } from './regex-literals.ts';

const project = fileURLToPath(new URL('../..', import.meta.url));
const folders = await Promise.all(
  ['sandbox', 'src'].map(async (top) =>
    (await readdir(join(project, top), { recursive: true })).map((file) => join(top, file)),
  ),
);
const files = folders
  .flat()
  .filter((file) => file.endsWith('.ts'))
  .toSorted();
const sources = await Promise.all(
  files.map(async (file) => [file, await readFile(join(project, file), 'utf8')] as const),
);

test('literals are found behind comments, strings, templates and divisions', () => {
  const code = [
    'const a = 6 / 2 / 1; // no /x/ here',
    "const b = '/y/' + `/z/ ${a.replace(/in\\/[/]side/g, `${1 / 2}`)} /q/`;",
    'const c = (a) / 2; /* /no/ */ if (!/^e(?:\\\\)$/iu.test(b)) return /f/.test(b);',
  ].join('\n');
  assert.deepEqual(
    regexLiterals(code).map(({ source, flags, line }) => `${line} ${source} ${flags}`),
    ['2 in\\/[/]side g', '3 ^e(?:\\\\)$ iu', '3 f '],
  );
});

for (const slow of [
  /\/+$/,
  /\s+$/,
  /\0+$/,
  /(000)+$/,
  /^(a+)+$/,
  /^(\w|\d)*$/,
  /^[a-z]*[\w-]*$/,
  /<[^>]*x[^>]*>/,
  /\d+[a-z]*$/,
])
  test(`an attack on ${slow} is found`, () => {
    assert.notEqual(slowestAttack(slow.source, slow.flags), undefined);
  });

for (const fast of [/^\/+/, /^[\w.-]+$/, /[\s]+/g, /^(?:[a-z]+\.)*[a-z]+$/])
  test(`no attack on ${fast} is found`, () => {
    assert.equal(slowestAttack(fast.source, fast.flags), undefined);
  });

/** The files that may build patterns, of constants of their own, and why. */
const builders: Readonly<Record<string, string>> = {
  'sandbox/address.ts': 'one word of a path, named five times',
  'sandbox/admission.ts': 'names and labels of Kubernetes share their parts',
  'sandbox/selectors.ts': 'the forms of a requirement share key and value',
};

test('no file builds a pattern, but for some that do it of their own constants when they are loaded', async () => {
  const building = sources.filter(([, code]) => /\bRegExp\s*\(/.test(code)).map(([file]) => file);
  assert.deepEqual(building, Object.keys(builders));
  const built: RegExp[] = [];
  const original = globalThis.RegExp;
  globalThis.RegExp = new Proxy(original, {
    construct: (target, args, self) => {
      const made: RegExp = Reflect.construct(target, args, self);
      built.push(made);
      return made;
    },
  });
  try {
    for (const file of building) await import(join(project, file));
  } finally {
    globalThis.RegExp = original;
  }
  assert.ok(built.length >= 10);
  for (const { source, flags } of built) assert.equal(slowestAttack(source, flags), undefined, source);
});

for (const [file, code] of sources) {
  const literals = regexLiterals(code);
  if (literals.length > 0)
    test(`the regular expressions of ${file} take linear time`, () => {
      for (const { source, flags, line } of literals) {
        const attack = slowestAttack(source, flags);
        assert.equal(attack, undefined, `line ${line}: /${source}/${flags}: ${JSON.stringify(attack)}`);
      }
    });
}
