import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { at, type Json, parseJson, textIn } from '../json.ts';

const mirror = 'https://tuf-repo-cdn.sigstore.dev';

/** What `@sigstore/tuf` ships of the public instance, base64 inside. */
function seed(): Json | undefined {
  const path = createRequire(import.meta.url).resolve('@sigstore/tuf/seeds.json');
  return at(parseJson(readFileSync(path, 'utf8')), mirror);
}

/** The root metadata of the public instance's TUF repository, JSON. */
export function publicRoot(): Uint8Array {
  return Buffer.from(textIn(at(seed(), 'root.json')), 'base64');
}

/** The public instance's `trusted_root.json`. */
export function publicTrustedRoot(): string {
  return Buffer.from(textIn(at(seed(), 'targets', 'trusted_root.json')), 'base64').toString('utf8');
}
