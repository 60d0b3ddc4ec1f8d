import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { keyServices } from '../../../src/sign/kms/index.ts';

const run = promisify(execFile);
const here = new URL('../../../src/', import.meta.url);

/** The libraries of clouds, and the schemes that may load them. */
const libraries: Readonly<Record<string, string>> = {
  'google-auth-library': 'gcpkms',
  '@aws-sdk/client-kms': 'awskms',
  '@azure/identity': 'azurekms',
};

/** Loads the program and a scheme's module in a process of its own, and gives the libraries that came with it. */
async function loadedWith(scheme: string): Promise<readonly string[]> {
  const script = `
    const { registerHooks } = await import('node:module');
    const loaded = new Set();
    registerHooks({
      load(url, context, next) {
        for (const library of ${JSON.stringify(Object.keys(libraries))}) {
          if (url.includes('/node_modules/' + library + '/')) loaded.add(library);
        }
        return next(url, context);
      },
    });
    await import('${new URL('cli/program.ts', here).href}');
    await import('${new URL('controller/index.ts', here).href}');
    const { keyServices } = await import('${new URL('sign/kms/index.ts', here).href}');
    await keyServices['${scheme}']?.();
    process.stdout.write('LOADED' + JSON.stringify([...loaded]));
    process.exit(0);`;
  const { stdout } = await run(process.execPath, [
    '--input-type=module',
    '--eval',
    script,
    '--',
    '--version',
  ]);
  return JSON.parse(stdout.slice(stdout.indexOf('LOADED') + 6));
}

for (const scheme of ['none', ...Object.keys(keyServices)]) {
  const expected = Object.keys(libraries).filter((library) => libraries[library] === scheme);
  test(`with the scheme ${scheme} these libraries of clouds are loaded: ${expected.join() || 'none'}`, async () => {
    assert.deepEqual(await loadedWith(scheme), expected);
  });
}

test('every provider in src/sign/kms has its scheme', async () => {
  const providers = {
    gcpkms: 'gcp.ts',
    hashivault: 'vault',
    openbao: 'vault',
    awskms: 'aws.ts',
    azurekms: 'azure.ts',
  };
  const files = await readdir(fileURLToPath(new URL('sign/kms/', here)));
  assert.deepEqual(Object.keys(keyServices), Object.keys(providers));
  assert.deepEqual(
    Object.values(providers).filter((file) => !files.includes(file)),
    [],
  );
});
