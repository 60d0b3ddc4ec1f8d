// Runs its arguments on the pinned Node.js: not every npm puts it into PATH for the scripts of package.json.

import process from 'node:process';
import { runNode } from '../bin/launch.js';

runNode(process.argv.slice(2));
