import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import {
  AggregateAuthenticationError,
  AuthenticationRequiredError,
  CredentialUnavailableError,
  DefaultAzureCredential,
} from '@azure/identity';
import { type ChainsError, reasonOf } from '../../errors.ts';
import { at, type Json } from '../../json.ts';
import type { Algorithm } from '../../model/signature.ts';
import {
  algorithmFor,
  failures,
  jsonIn,
  type KeyService,
  type KeyServiceOptions,
  openConnections,
} from './service.ts';

/** The REST API's version. */
const version = '7.4';

/**
 * Opens a key of Azure Key Vault or a managed HSM. Credentials come from `DefaultAzureCredential`: client secret or
 * certificate in the environment, workload identity, managed identity. ECDSA keys sign the digest as long as their curve,
 * RSA keys SHA-256; `?padding=pss` makes an RSA key sign with PSS. Without a version in the reference, the newest signs.
 */
export async function openAzure({ reference }: KeyServiceOptions): Promise<KeyService> {
  const [host = '', name = '', pinned] = reference.path.split('/');
  const credential = new DefaultAzureCredential();
  const connections = openConnections((failed) => {
    const error = at(failed, 'error');
    return [at(error, 'innererror', 'code') ?? at(error, 'code'), at(error, 'message')];
  });
  // A token is valid for one service, which the host's name ends with: vault.azure.net, managedhsm.azure.net.
  const scope = `https://${host.replace(/^[^.]*\./, '')}/.default`;

  async function ask(what: string, path: string, signal: AbortSignal, body?: unknown): Promise<Json> {
    const authorization = `Bearer ${await accessToken(what, signal)}`;
    const answer = await connections.call({
      what,
      method: body === undefined ? 'GET' : 'POST',
      url: `https://${host}/keys/${encodeURIComponent(name)}${path}?api-version=${version}`,
      headers: { authorization },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal,
    });
    return jsonIn(what, answer);
  }

  async function accessToken(what: string, abortSignal: AbortSignal): Promise<string> {
    try {
      return (await credential.getToken(scope, { abortSignal })).token;
    } catch (error) {
      abortSignal.throwIfAborted();
      throw credentialFailure(`${what}: get an access token for ${scope}`, error);
    }
  }

  return {
    async keyVersion(signal, wanted = pinned) {
      const what = `read the key ${reference.text}`;
      const answer = await ask(what, wanted === undefined ? '' : `/${encodeURIComponent(wanted)}`, signal);
      if (at(answer, 'attributes', 'enabled') === false)
        throw failures.unusable(`${reference.text} is disabled: enable it`);
      const publicKey = readPublicKey(at(answer, 'key'), what);
      const name = versionIn(at(answer, 'key', 'kid'), what);
      return { name, publicKey, algorithm: algorithmFor(publicKey, reference) };
    },

    async sign(input, { name: signing, publicKey, algorithm }, signal) {
      const what = `sign with ${reference.text}`;
      const rsa = publicKey.asymmetricKeyType === 'rsa';
      const body = { alg: nameOf(algorithm, rsa), value: Buffer.from(input).toString('base64url') };
      const answer = await ask(what, `/${encodeURIComponent(signing)}/sign`, signal, body);
      const value = at(answer, 'value');
      if (typeof value !== 'string') throw failures.unreadable(what, 'no signature');
      const bytes = Buffer.from(value, 'base64url');
      return { bytes: rsa ? bytes : ecdsaDer(bytes), version: versionIn(at(answer, 'kid'), what) };
    },

    close: () => connections.close(),
  };
}

/** No credential of the chain was usable, or none returned a token. */
const refusals = [AggregateAuthenticationError, AuthenticationRequiredError, CredentialUnavailableError];

function credentialFailure(task: string, error: unknown): ChainsError {
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : Number.NaN;
  if (status >= 400) return failures.refusal(task, status, reasonOf(error));
  const refused = refusals.some((kind) => error instanceof kind);
  return refused ? failures.unusable(`${task}: ${reasonOf(error)}`) : failures.unanswered(task, error);
}

/** JSON Web Algorithms (RFC 7518, 3.1). */
function nameOf({ digest = 'sha256', pss }: Algorithm, rsa: boolean): string {
  return `${rsa ? (pss ? 'PS' : 'RS') : 'ES'}${digest.slice(3)}`;
}

/** The last part of a key's id: `https://VAULT/keys/NAME/VERSION`. */
function versionIn(kid: Json | undefined, what: string): string {
  const [, found] = /\/keys\/[^/]+\/([^/]+)$/.exec(String(kid)) ?? [];
  if (found === undefined) throw failures.unreadable(what, 'no id of a key');
  return found;
}

/** A JSON Web Key; those in an HSM have a type of their own. */
function readPublicKey(key: Json | undefined, what: string): KeyObject {
  const part = (name: string) => String(at(key, name) ?? '');
  const kty = part('kty').replace(/-HSM$/, '');
  const jwk: JsonWebKey =
    kty === 'RSA'
      ? { kty, n: part('n'), e: part('e') }
      : { kty, crv: part('crv'), x: part('x'), y: part('y') };
  try {
    return createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    throw failures.unusable(
      `${what}: it is a key of the type ${part('kty')} ${part('crv')}, which is not supported: use EC P-256, P-384 or P-521, or RSA`,
    );
  }
}

/** An ECDSA signature of the form r‖s (RFC 7518, 3.4), as DER (RFC 3279, 2.2.3). */
export function ecdsaDer(signature: Uint8Array): Uint8Array {
  const half = signature.length / 2;
  return der(0x30, Buffer.concat([integer(signature.subarray(0, half)), integer(signature.subarray(half))]));
}

/** The shortest form, with a leading zero if the number would be negative without it. */
function integer(bytes: Uint8Array): Buffer {
  const start = bytes.findIndex((byte) => byte !== 0);
  const digits = start < 0 ? Buffer.of(0) : Buffer.from(bytes.subarray(start));
  return der(0x02, (digits[0] ?? 0) < 0x80 ? digits : Buffer.concat([Buffer.of(0), digits]));
}

function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  return Buffer.concat([Buffer.from(length < 0x80 ? [tag, length] : [tag, 0x81, length]), content]);
}
