import { readFileSync } from 'node:fs';
import { at } from './json.ts';

/** The version of this program, from its package.json. */
export const version = String(
  at(JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')), 'version'),
);
