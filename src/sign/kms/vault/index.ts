import { createPublicKey, type KeyObject } from 'node:crypto';
import { ChainsError } from '../../../errors.ts';
import { at, type Json } from '../../../json.ts';
import type { Algorithm } from '../../../model/signature.ts';
import { algorithmFor, failures, type KeyService, type KeyServiceOptions } from '../service.ts';
import { openServer } from './server.ts';
import { readSettings } from './settings.ts';
import { openTokens } from './tokens.ts';

/**
 * Opens a key of the transit engine of HashiCorp Vault or OpenBao. ECDSA and RSA keys of every size sign SHA-256, as keys
 * in files do; Ed25519 signs the message. `?padding=pss` makes an RSA key sign with PSS.
 */
export async function openVault(options: KeyServiceOptions): Promise<KeyService> {
  const { reference } = options;
  const settings = readSettings(options);
  const server = openServer(settings);
  const tokens = openTokens(server, settings.token);
  const name = encodeURIComponent(reference.path);

  /** A 403 may mean that the token has expired: one retry with a new one, if we can log in. */
  async function ask(
    what: string,
    method: 'GET' | 'POST',
    path: string,
    signal: AbortSignal,
    body?: unknown,
  ): Promise<Json> {
    const call = { what, method, path: `${settings.engine}/${path}`, body, signal };
    const token = await tokens.current(signal);
    try {
      return await server.ask({ ...call, token });
    } catch (error) {
      const denied = error instanceof ChainsError && error.status === 403;
      if (!denied || !tokens.refused(token)) throw error;
      return server.ask({ ...call, token: await tokens.current(signal) });
    }
  }

  return {
    async keyVersion(signal, version) {
      const what = `read the key ${reference.text}`;
      const answer = at(await ask(what, 'GET', `keys/${name}`, signal), 'data');
      const latest = at(answer, 'latest_version');
      const wanted = version ?? (typeof latest === 'number' ? `${latest}` : '');
      const text = at(answer, 'keys', wanted, 'public_key');
      if (typeof text === 'string') {
        const publicKey = readPublicKey(text, what);
        const digest = publicKey.asymmetricKeyType === 'ed25519' ? undefined : 'sha256';
        return { name: wanted, publicKey, algorithm: algorithmFor(publicKey, reference, digest) };
      }
      throw failures.unusable(
        `${reference.text} has no public key of version ${wanted}: it is a key of the type ${String(at(answer, 'type'))}; make one with \`vault write ${settings.engine}/keys/NAME type=ecdsa-p256\``,
      );
    },
    async sign(input, { algorithm }, signal) {
      const what = `sign with ${reference.text}`;
      const body = { input: Buffer.from(input).toString('base64'), ...parameters(algorithm) };
      const path = `sign/${name}${algorithm.digest === undefined ? '' : '/sha2-256'}`;
      const signature = at(await ask(what, 'POST', path, signal, body), 'data', 'signature');
      const [, version, base64] =
        typeof signature === 'string' ? (/^vault:v(\d+):([\w+/]+=*)$/.exec(signature) ?? []) : [];
      if (version === undefined || base64 === undefined) throw failures.unreadable(what, 'no signature');
      return { version, bytes: Buffer.from(base64, 'base64') };
    },
    async close() {
      tokens.close();
      await server.close();
    },
  };
}

function parameters({ digest, pss }: Algorithm): Readonly<Record<string, unknown>> {
  if (digest === undefined) return {};
  return {
    prehashed: true,
    marshaling_algorithm: 'asn1',
    ...(pss ? { signature_algorithm: 'pss', salt_length: 'hash' } : { signature_algorithm: 'pkcs1v15' }),
  };
}

/** PEM, or, for Ed25519, base64 of the 32 bytes. */
function readPublicKey(text: string, what: string): KeyObject {
  try {
    if (text.startsWith('-----BEGIN')) return createPublicKey(text);
    const x = Buffer.from(text, 'base64').toString('base64url');
    return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  } catch {
    throw failures.unreadable(what, "a public key that can't be read");
  }
}
