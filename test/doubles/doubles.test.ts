import assert from 'node:assert/strict';
import { constants, createHash, verify } from 'node:crypto';
import { test } from 'node:test';
import { type Kind, newVersion, signDigest } from './keys.ts';

const message = Buffer.from('message');

for (const kind of ['P-256', 'P-384', 'P-521', 'RSA 2048'] as const satisfies readonly Kind[]) {
  for (const hash of ['sha256', 'sha384', 'sha512'] as const) {
    test(`a double signs a ${hash} digest with a key of the kind ${kind} as node verifies it`, () => {
      const digest = createHash(hash).update(message).digest();
      const key = { kind, versions: [] };
      const version = newVersion(kind);
      for (const pss of kind.startsWith('RSA') ? [false, true] : [false]) {
        const signature = signDigest(digest, { key, version, pss, format: 'der' });
        const padding = pss ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: digest.length } : {};
        assert.ok(verify(hash, message, { key: version.publicKey, ...padding }, signature));
      }
    });
  }
}
