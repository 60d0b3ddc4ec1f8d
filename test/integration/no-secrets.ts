import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as openpgp from 'openpgp';
import { found, tracesOf } from './traces.ts';

/** What a cluster's controllers work with that they must not tell, and what they told. */
export interface Told {
  readonly secretsFolder: string;
  readonly token: string;
  readonly logs: readonly string[];
}

/** Fails where a log has a trace of a file of the secrets folder, or of the token for the API server. */
export async function assertNoSecrets({ secretsFolder, token, logs }: Told): Promise<void> {
  const entries = await readdir(secretsFolder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isFile() && !isPublic(entry.name)).map((entry) => entry.name);
  const contents = await Promise.all(names.map((name) => readFile(join(secretsFolder, name))));
  const secrets = [...contents, Buffer.from(token)];
  const traces = new Set<string>();
  for (const secret of secrets) {
    for (const trace of tracesOf(secret, await publicHalvesOf(secret))) traces.add(trace);
  }
  assert.deepEqual(found(traces, logs.join('\n')), [], 'a log has traces of a secret');
}

/** Whom to trust is no secret. */
function isPublic(name: string): boolean {
  return name.endsWith('.json');
}

/** A PKCS#8 key holds its public key, and a PGP key its id, which may be told. */
async function publicHalvesOf(secret: Uint8Array): Promise<readonly Uint8Array[]> {
  const text = Buffer.from(secret).toString();
  try {
    if (text.includes('PGP PRIVATE KEY')) {
      const publicKey = (await openpgp.readKey({ armoredKey: text })).toPublic();
      return [Buffer.from(publicKey.armor()), Buffer.from(publicKey.write())];
    }
    const key = createPublicKey(text);
    return [
      Buffer.from(key.export({ type: 'spki', format: 'pem' })),
      key.export({ type: 'spki', format: 'der' }),
    ];
  } catch {
    return []; // what is not a key has no public half
  }
}
