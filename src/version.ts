import { readFileSync } from 'node:fs';
import { at } from './json.ts';
import { root } from './root.ts';

/** The version of this program, from its package.json. */
export const version = String(at(JSON.parse(readFileSync(new URL('package.json', root), 'utf8')), 'version'));
