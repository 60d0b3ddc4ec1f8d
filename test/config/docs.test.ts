import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { configTable, documents, fill, root } from '../../scripts/docs.ts';
import { keys } from '../../src/config/keys.ts';
import { parseConfig } from '../../src/config/parse.ts';
import { eventReasons } from '../../src/kubernetes/event-reasons.ts';

test('the documents are those that the tables in the source make', async () => {
  for (const [path, text] of await documents()) {
    assert.equal(await readFile(new URL(path, root), 'utf8'), text, `${path} is old: npm run docs writes it`);
  }
});

test('every key has a row with what it is for and what is allowed', () => {
  const rows = configTable().split('\n').slice(2);
  assert.equal(rows.length, Object.keys(keys).length);
  for (const row of rows)
    assert.match(row, /^\| `[a-z0-9.-]+` \| [^|]+\. \| [^|]+(\\\|[^|]+)* \| (`[^`]+`)? \|$/);
});

test('every default is allowed', () => {
  for (const [name, key] of Object.entries<{ doc: string; default?: string }>(keys)) {
    if (key.default !== undefined) parseConfig({ [name]: key.default });
  }
});

test('a part goes between its markers, and the rest of the text stays', () => {
  const filled = fill('before <!-- a -->old<!-- /a --> after <!-- b -->', 'a', 'new');
  assert.equal(filled, 'before <!-- a -->\n\nnew\n\n<!-- /a --> after <!-- b -->');
  assert.equal(fill(filled, 'a', 'new'), filled);
  assert.equal(fill('no markers', 'a', 'new'), 'no markers');
});

test('every reason of an Event in the table is one that the controller gives', async () => {
  const folders = ['controller', 'decide'].map((name) => new URL(`src/${name}/`, root));
  const files = await Promise.all(
    folders.map(async (folder) =>
      (await readdir(folder)).map((file) => readFile(new URL(file, folder), 'utf8')),
    ),
  );
  const source = (await Promise.all(files.flat())).join('\n');
  for (const reason of Object.keys(eventReasons)) assert.ok(source.includes(`'${reason}'`), reason);
});
