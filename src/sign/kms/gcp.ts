import { createPublicKey } from 'node:crypto';
import { GoogleAuth } from 'google-auth-library';
import { ChainsError, reasonOf } from '../../model/errors.ts';
import { at, isJsonList, type Json } from '../../model/json.ts';
import type { Algorithm, Digest } from '../../model/algorithm.ts';
import { crc32c } from '../../model/crc32c.ts';
import { refusal, unanswered, unreadable, unusable } from './failures.ts';
import { callJson, goodJson, openConnections } from './http.ts';
import type { KeyService, KeyServiceOptions, KeyVersion } from './key-service.ts';

const api = 'https://cloudkms.googleapis.com/v1';
const scopes = 'https://www.googleapis.com/auth/cloudkms';

/**
 * Opens a key of Google Cloud KMS with application default credentials: the file in `GOOGLE_APPLICATION_CREDENTIALS`
 * (service account, workload identity federation), gcloud’s, or the metadata server’s (workload identity in GKE). Every
 * checksum of Cloud KMS’s data integrity guidelines is sent and checked. Without a version in the reference, the newest
 * enabled one signs.
 */
export async function openGcp({ reference }: KeyServiceOptions): Promise<KeyService> {
  // Without a project, the library asks the Resource Manager or the metadata server for one, which few accounts may do.
  const openAuth = () => new GoogleAuth({ scopes, projectId: reference.path.split('/')[1] ?? '' });
  let auth = openAuth();
  const connections = openConnections();
  const [, key = '', pinned] =
    /^(.*\/cryptoKeys\/[^/]+)(?:\/(?:cryptoKeyVersions|versions)\/([^/]+))?$/.exec(reference.path) ?? [];

  async function ask(what: string, path: string, signal: AbortSignal, body?: unknown): Promise<Json> {
    const call = { what, url: `${api}/${path}`, method: body === undefined ? 'GET' : 'POST', body } as const;
    const attempt = async () => {
      const headers = { authorization: `Bearer ${await accessToken(what)}` };
      return callJson(connections, { ...call, headers, signal });
    };
    let answer = await attempt();
    if (answer.status === 401) {
      auth = openAuth();
      answer = await attempt();
    }
    return goodJson(what, answer, (failed) => [
      at(failed, 'error', 'status'),
      at(failed, 'error', 'message'),
    ]);
  }

  async function accessToken(what: string): Promise<string> {
    try {
      const token = await auth.getAccessToken();
      if (typeof token === 'string' && token !== '') return token;
    } catch (error) {
      // The library reads a file once; the next try shall find the one that has taken its place.
      auth = openAuth();
      throw credentialFailure(what, error);
    }
    throw unusable(`${what}: the application default credentials gave no access token`);
  }

  async function newestEnabled(signal: AbortSignal): Promise<string> {
    const what = `list the versions of ${reference.text}`;
    let newest = 0;
    let page = '';
    do {
      const query = new URLSearchParams({ filter: 'state=ENABLED', pageSize: '500', pageToken: page });
      const answer = await ask(what, `${key}/cryptoKeyVersions?${query.toString()}`, signal);
      const versions = at(answer, 'cryptoKeyVersions');
      for (const version of isJsonList(versions) ? versions : []) {
        const number = Number(/\/cryptoKeyVersions\/(\d+)$/.exec(String(at(version, 'name')))?.[1]);
        if (at(version, 'state') === 'ENABLED' && number > newest) newest = number;
      }
      page = String(at(answer, 'nextPageToken') ?? '');
    } while (page !== '');
    if (newest > 0) return `${key}/cryptoKeyVersions/${newest}`;
    throw unusable(`${reference.text} has no enabled version: enable one, or create a new one`);
  }

  return {
    async keyVersion(signal, wanted): Promise<KeyVersion> {
      const fixed = pinned === undefined ? undefined : `${key}/cryptoKeyVersions/${pinned}`;
      const name = wanted ?? fixed ?? (await newestEnabled(signal));
      const what = `read the public key of gcpkms://${name}`;
      const answer = await ask(what, `${name}/publicKey`, signal);
      const [pem, algorithm] = [at(answer, 'pem'), at(answer, 'algorithm')];
      if (typeof pem !== 'string') throw unreadable(what, 'no public key');
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
      if (typeof signature !== 'string') throw unreadable(what, 'no signature');
      const bytes = Buffer.from(signature, 'base64');
      if (at(answer, 'name') !== name) throw damaged(what, 'the answer is about another key');
      if (at(answer, 'verifiedDigestCrc32c') !== true)
        throw damaged(what, 'the digest was not checked on arrival');
      mustMatch(what, bytes, at(answer, 'signatureCrc32c'));
      return { bytes, version: name };
    },

    close: () => connections.close(),
  };
}

/** The library’s errors carry what the token’s server answered, or the code of the socket’s error. */
function credentialFailure(what: string, error: unknown): ChainsError {
  const task = `${what}: get an access token`;
  const status = error instanceof Error && 'status' in error ? Number(error.status) : Number.NaN;
  if (status >= 400) return refusal(task, status, reasonOf(error));
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (/^E[A-Z_]+$/.test(code) && code !== 'ENOENT') return unanswered(task, error);
  return unusable(
    `${task}: ${reasonOf(error)}; set GOOGLE_APPLICATION_CREDENTIALS, or let the pod’s service account act as one of Google’s (workload identity)`,
  );
}

function mustMatch(what: string, content: Uint8Array | string, checksum: Json | undefined): void {
  if (String(checksum) !== `${crc32c(content)}`) throw damaged(what, 'its CRC32C does not match');
}

function damaged(what: string, how: string): ChainsError {
  return new ChainsError('KMS_UNAVAILABLE', `${what}: the answer came damaged and was thrown away: ${how}`);
}

const digests: Readonly<Record<string, Digest>> = { '256': 'sha256', '384': 'sha384', '512': 'sha512' };

/** CryptoKeyVersionAlgorithm: `EC_SIGN_P384_SHA384`, `RSA_SIGN_PSS_4096_SHA512`; not its curve secp256k1 and its other schemes. */
function readAlgorithm(name: string, version: string): Algorithm {
  const [, ec, , padding, rsa] =
    /^(?:EC_SIGN_P(256|384)_SHA\1|RSA_SIGN_((PSS|PKCS1)_\d+_SHA(256|512)))$/.exec(name) ?? [];
  const digest = digests[ec ?? rsa ?? ''];
  if (digest !== undefined) return { digest, pss: padding === 'PSS' };
  throw unusable(
    `gcpkms://${version} has the algorithm ${name}, which is not taken: use EC_SIGN_P256_SHA256, EC_SIGN_P384_SHA384, RSA_SIGN_PKCS1_… or RSA_SIGN_PSS_…`,
  );
}
