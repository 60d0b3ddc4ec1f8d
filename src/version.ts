import { readFileSync } from 'node:fs';
import { at } from './json.ts';

/** The package's folder, in a checkout and when it is built. */
export const root = new URL('./', import.meta.resolve('tekton-chains/package.json'));

/** The version of this program, from its package.json. */
export const version = String(at(JSON.parse(readFileSync(new URL('package.json', root), 'utf8')), 'version'));

/** The User-Agent of this program: `tekton-chains/<version>`. */
export const userAgent = `tekton-chains/${version}`;
