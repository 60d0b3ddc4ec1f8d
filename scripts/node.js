// Runs its arguments on the pinned Node.js: not every npm puts it into PATH for the scripts of package.json.

import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { runNode } from '../bin/launch.js';

const args = process.argv.slice(2);
// Tests start hundreds of processes that load the same files, which takes a third less with compiled ones.
if (args.includes('--test'))
  process.env['NODE_COMPILE_CACHE'] ??= fileURLToPath(new URL('../.cache/node', import.meta.url));
runNode(args);
