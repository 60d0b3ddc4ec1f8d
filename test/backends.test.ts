import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { formats } from '../src/format/index.ts';
import { signers } from '../src/sign/index.ts';
import { stores } from '../src/store/index.ts';

for (const [folder, registry] of Object.entries({ format: formats, sign: signers, store: stores })) {
  test(`src/${folder}/: every back end of the table has its file, and opens`, async () => {
    const files = readdirSync(new URL(`../src/${folder}/`, import.meta.url));
    for (const [name, load] of Object.entries(registry)) {
      assert.equal(typeof (await load()), 'function');
      assert.ok(files.includes(`${name}.ts`) || files.includes(name), name);
    }
  });
}
