import { createPublicKey } from 'node:crypto';
import type { Algorithm, HashName } from '../../model/signature.ts';
import { crc32c } from '../../http/crc32c.ts';
import { ChainsError } from '../../errors.ts';
import { at, type Json, type JsonObject, listAt } from '../../json.ts';
import { openGoogle } from '../../http/google.ts';
import {
  failures,
  jsonIn,
  type KeyService,
  type KeyServiceOptions,
  type KeyVersion,
  longestAnswer,
} from './service.ts';

const origin = 'https://cloudkms.googleapis.com';
const scope = 'https://www.googleapis.com/auth/cloudkms';
/** Milliseconds; the signer's signal ends a call earlier. */
const timeout = 30_000;

/**
 * Opens a key of Google Cloud KMS with application default credentials: the file in `GOOGLE_APPLICATION_CREDENTIALS`
 * (service account, workload identity federation), gcloud's, or the metadata server's (workload identity in GKE). Every
 * checksum of Cloud KMS's data integrity guidelines is sent and checked. Without a version in the reference, the newest
 * enabled one signs.
 */
export async function openGcp({ reference }: KeyServiceOptions): Promise<KeyService> {
  const project = reference.path.split('/')[1] ?? '';
  const limits = { longestAnswer };
  const google = openGoogle({ origin, scope, failures, project, timeout, limits });
  const [, key = '', pinned] =
    /^(.*\/cryptoKeys\/[^/]+)(?:\/(?:cryptoKeyVersions|versions)\/([^/]+))?$/.exec(reference.path) ?? [];

  /** A 401 may mean that the token has expired, or its key was replaced: one retry with new credentials. */
  async function ask(what: string, path: string, signal: AbortSignal, body?: JsonObject): Promise<Json> {
    const method = body === undefined ? 'GET' : 'POST';
    const call = { what, method, url: `/v1/${path}`, body: body && JSON.stringify(body), signal } as const;
    const answer = await google.call(call).catch((error: unknown) => {
      if (error instanceof ChainsError && error.status === 401) return google.call(call);
      throw error;
    });
    return jsonIn(what, answer);
  }

  async function newestEnabled(signal: AbortSignal): Promise<string> {
    const what = `list the versions of ${reference.text}`;
    let newest = 0;
    let page = '';
    do {
      const query = new URLSearchParams({ filter: 'state=ENABLED', pageSize: '500', pageToken: page });
      const answer = await ask(what, `${key}/cryptoKeyVersions?${query.toString()}`, signal);
      for (const version of listAt(answer, 'cryptoKeyVersions')) {
        const number = Number(/\/cryptoKeyVersions\/(\d+)$/.exec(String(at(version, 'name')))?.[1]);
        if (at(version, 'state') === 'ENABLED' && number > newest) newest = number;
      }
      page = String(at(answer, 'nextPageToken') ?? '');
    } while (page !== '');
    if (newest > 0) return `${key}/cryptoKeyVersions/${newest}`;
    throw failures.unusable(`${reference.text} has no enabled version: enable one, or create a new one`);
  }

  return {
    async keyVersion(signal, wanted): Promise<KeyVersion> {
      const fixed = pinned === undefined ? undefined : `${key}/cryptoKeyVersions/${pinned}`;
      const name = wanted ?? fixed ?? (await newestEnabled(signal));
      const what = `read the public key of gcpkms://${name}`;
      const answer = await ask(what, `${name}/publicKey`, signal);
      const [pem, algorithm] = [at(answer, 'pem'), at(answer, 'algorithm')];
      if (typeof pem !== 'string') throw failures.unreadable(what, 'no public key');
      if (at(answer, 'name') !== name) throw damaged(what, 'the answer is about another key');
      mustMatch(what, pem, at(answer, 'pemCrc32c'));
      return { name, publicKey: createPublicKey(pem), algorithm: readAlgorithm(String(algorithm), name) };
    },

    async sign(input, { name, algorithm }, signal) {
      const what = `sign with gcpkms://${name}`;
      const answer = await ask(what, `${name}:asymmetricSign`, signal, {
        digest: { [algorithm.digest ?? 'sha256']: Buffer.from(input).toString('base64') },
        digestCrc32c: `${crc32c(input)}`,
      });
      const signature = at(answer, 'signature');
      if (typeof signature !== 'string') throw failures.unreadable(what, 'no signature');
      const bytes = Buffer.from(signature, 'base64');
      if (at(answer, 'name') !== name) throw damaged(what, 'the answer is about another key');
      if (at(answer, 'verifiedDigestCrc32c') !== true)
        throw damaged(what, 'the digest was not checked on arrival');
      mustMatch(what, bytes, at(answer, 'signatureCrc32c'));
      return { bytes, version: name };
    },

    close: () => google.close(),
  };
}

function mustMatch(what: string, content: Uint8Array | string, checksum: Json | undefined): void {
  if (String(checksum) !== `${crc32c(content)}`) throw damaged(what, 'its CRC32C does not match');
}

function damaged(what: string, how: string): ChainsError {
  return new ChainsError('KMS_UNAVAILABLE', `${what}: the answer is damaged and was discarded: ${how}`);
}

const digests: Readonly<Record<string, HashName>> = { '256': 'sha256', '384': 'sha384', '512': 'sha512' };

/** CryptoKeyVersionAlgorithm, e.g. `EC_SIGN_P384_SHA384`, `RSA_SIGN_PSS_4096_SHA512`; not secp256k1 and other schemes. */
function readAlgorithm(name: string, version: string): Algorithm {
  const [, ec, , padding, rsa] =
    /^(?:EC_SIGN_P(256|384)_SHA\1|RSA_SIGN_((PSS|PKCS1)_\d+_SHA(256|512)))$/.exec(name) ?? [];
  const digest = digests[ec ?? rsa ?? ''];
  if (digest !== undefined) return { digest, pss: padding === 'PSS' };
  throw failures.unusable(
    `gcpkms://${version} has the algorithm ${name}, which is not supported: use EC_SIGN_P256_SHA256, EC_SIGN_P384_SHA384, RSA_SIGN_PKCS1_… or RSA_SIGN_PSS_…`,
  );
}
