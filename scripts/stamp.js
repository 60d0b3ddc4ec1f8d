// Leaves in dist/ the commit that it was built from: COMMIT of the environment, else what git says of this checkout.

import { writeFileSync } from 'node:fs';
import process from 'node:process';
import { checkedOutCommit, stamp } from '../dist/src/cli/version.js';

writeFileSync(stamp, process.env.COMMIT || (checkedOutCommit() ?? ''));
