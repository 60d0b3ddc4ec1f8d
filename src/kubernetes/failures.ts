import { readRetryAfter } from '../http/failures.ts';
import { oneLine } from '../text.ts';
import { ChainsError, reasonOf } from '../errors.ts';
import { at } from '../json.ts';

/**
 * The error for a status other than 2xx: 409 CLUSTER_CONFLICT, 429 and 5xx CLUSTER_UNAVAILABLE, the rest
 * CLUSTER_REFUSED, with the message of the server's Status.
 * @param what the call, e.g. `get taskruns.tekton.dev team/build`
 */
export function refusal(what: string, status: number, body: string, retryAfterHeader?: unknown): ChainsError {
  const answer = readStatus(body);
  const message = oneLine(`${what}: ${status} ${answer.message}`);
  const retryAfter = readRetryAfter(retryAfterHeader, Date.now()) ?? answer.retryAfter;
  const details = { status, ...(retryAfter === undefined ? {} : { retryAfter }) };
  if (status === 409) return new ChainsError('CLUSTER_CONFLICT', message, details);
  const refused = status >= 400 && status < 500 && status !== 429;
  return new ChainsError(refused ? 'CLUSTER_REFUSED' : 'CLUSTER_UNAVAILABLE', message, details);
}

function readStatus(body: string): { message: string; retryAfter: number | undefined } {
  try {
    const status: unknown = JSON.parse(body);
    const [message, seconds] = [at(status, 'message'), at(status, 'details', 'retryAfterSeconds')];
    return {
      message: typeof message === 'string' && message !== '' ? message : '(the server gives no reason)',
      retryAfter: typeof seconds === 'number' ? readRetryAfter(String(seconds), 0) : undefined,
    };
  } catch {
    const plain = body.trimStart().startsWith('<') ? '' : body.trim();
    return {
      message: plain === '' ? '(no Status in the answer: is a proxy in between?)' : plain,
      retryAfter: undefined,
    };
  }
}

const untrustedServer =
  "Check certificate-authority(-data) in the kubeconfig, or the file ca.crt of the pod's service account.";

/** What the codes of Node and undici mean, and what to do about them. */
const causes: Readonly<Record<string, readonly [text: string, hint?: string]>> = {
  ENOTFOUND: ['its host name is not known', 'Check the server address and DNS.'],
  EAI_AGAIN: ["its host name can't be looked up just now", 'Check the server address and DNS.'],
  ECONNREFUSED: ['nothing listens there', 'Check that the API server runs, and its address.'],
  EHOSTUNREACH: ['there is no route to it', 'Check the address and the network.'],
  ENETUNREACH: ['there is no route to it', 'Check the address and the network.'],
  ETIMEDOUT: ['it did not answer in time'],
  UND_ERR_CONNECT_TIMEOUT: ['it did not take the connection in time', 'Check the address and firewalls.'],
  UND_ERR_HEADERS_TIMEOUT: ['it did not answer in time'],
  UND_ERR_BODY_TIMEOUT: ['it stopped in the middle of its answer'],
  UND_ERR_SOCKET: ['the connection broke'],
  UND_ERR_CLOSED: ['the connection was closed by this process'],
  UND_ERR_DESTROYED: ['the connection was closed by this process'],
  ECONNRESET: ['the connection broke'],
  EPIPE: ['the connection broke'],
  CERT_HAS_EXPIRED: [
    'its certificate has expired',
    "Renew the API server's certificate, or check this clock.",
  ],
  CERT_NOT_YET_VALID: ['its certificate is not valid yet', "Check this machine's clock."],
  ERR_TLS_CERT_ALTNAME_INVALID: [
    'its certificate is for another host name',
    'Use a name that is in the certificate as server, or set tls-server-name to one.',
  ],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: ['its certificate is not signed by the configured CA', untrustedServer],
  UNABLE_TO_GET_ISSUER_CERT: ['its certificate is not signed by the configured CA', untrustedServer],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ['its certificate is not signed by the configured CA', untrustedServer],
  DEPTH_ZERO_SELF_SIGNED_CERT: ['its certificate is not signed by the configured CA', untrustedServer],
  SELF_SIGNED_CERT_IN_CHAIN: ['its certificate is not signed by the configured CA', untrustedServer],
  CERT_SIGNATURE_FAILURE: ['its certificate is not signed by the configured CA', untrustedServer],
  ERR_SSL_WRONG_VERSION_NUMBER: ['it does not speak TLS', 'Should the server address begin with http://?'],
  ERR_SSL_PACKET_LENGTH_TOO_LONG: ['it does not speak TLS', 'Should the server address begin with http://?'],
  UND_ERR_PRX_CONN: ['the proxy broke the connection', 'Check proxy-url or HTTPS_PROXY.'],
  UND_ERR_PRX_TLS: ["the proxy's certificate is not valid for its name", 'Check proxy-url or HTTPS_PROXY.'],
};

/** The codes after which another CA may help. */
const certificateCodes: ReadonlySet<string> = new Set(
  Object.keys(causes).filter((code) => causes[code]?.[1] === untrustedServer),
);

/** True when the server's certificate was not signed by the CA that we know. */
export function isUntrustedServer(error: unknown): boolean {
  return codesOf(error).some((code) => certificateCodes.has(code));
}

/**
 * The error CLUSTER_UNAVAILABLE for a call that got no answer, or only part of one.
 * @param what the call
 * @param server the base URL, named because the usual mistake is in it
 */
export function breakdown(what: string, server: string, error: unknown): ChainsError {
  if (error instanceof ChainsError) return error;
  const [text, hint] = codesOf(error)
    .map((code) => causes[code])
    .find((known) => known !== undefined) ?? [reasonOf(error)];
  return new ChainsError(
    'CLUSTER_UNAVAILABLE',
    oneLine(`${what}: no answer from ${new URL(server).origin}: ${text}`),
    {
      cause: error,
      ...(hint === undefined ? {} : { hint }),
    },
  );
}

/** The code of an error, of what it wraps and of what it gathers. */
function codesOf(error: unknown): readonly string[] {
  if (!(error instanceof Error)) return [];
  const own = 'code' in error && typeof error.code === 'string' ? [error.code] : [];
  const gathered = error instanceof AggregateError ? error.errors.flatMap(codesOf) : [];
  return [...own, ...gathered, ...codesOf(error.cause)];
}
