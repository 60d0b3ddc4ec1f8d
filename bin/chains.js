#!/usr/bin/env node
// Starts the program on a Node.js that is new enough for it. Has to run on older ones: plain JavaScript.

import { existsSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { argumentsFor, becomeNode, fail, isNewEnough, runNode } from './launch.js';

const root = new URL('../', import.meta.url);

// In a checkout the source counts, since a build may be old; a package has only what was built.
const program = ['src/main.ts', 'dist/src/main.js']
  .map((path) => fileURLToPath(new URL(path, root)))
  .find((path) => existsSync(path));

if (program === undefined) {
  fail(`dist/src/main.js is missing in ${fileURLToPath(root)}: install the package again`);
} else {
  const given = [program, ...process.argv.slice(2)];
  const args = argumentsFor(given);
  if (isNewEnough && args !== given) becomeNode(args);
  if (isNewEnough) {
    process.argv[1] = program;
    await import(pathToFileURL(program).href);
  } else {
    runNode(args);
  }
}
