import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { formats } from '../src/format/index.ts';
import { signers } from '../src/sign/index.ts';
import { stores } from '../src/store/index.ts';

for (const [folder, registry] of Object.entries({ format: formats, sign: signers, store: stores })) {
  test(`src/${folder}/: a back end opens if, and only if, its file is there`, async () => {
    const files = readdirSync(new URL(`../src/${folder}/`, import.meta.url));
    for (const [name, load] of Object.entries(registry)) {
      const opens = await load().then(
        () => true,
        (error: { code?: string }) => {
          assert.equal(error.code, 'BACKEND_NOT_BUILT');
          return false;
        },
      );
      assert.equal(opens, files.includes(`${name}.ts`) || files.includes(name), name);
    }
  });
}
