import { readFileSync } from 'node:fs';
import { at } from './json.ts';

/** The folder of the package, for a checkout and for what was built of it. */
export const root = new URL('./', import.meta.resolve('tekton-chains/package.json'));

/** The version of this program, from its package.json. */
export const version = String(at(JSON.parse(readFileSync(new URL('package.json', root), 'utf8')), 'version'));

/** What this program calls itself to servers: `tekton-chains/<version>`. */
export const userAgent = `tekton-chains/${version}`;
