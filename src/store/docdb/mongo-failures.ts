import { MongoError, MongoServerError } from 'mongodb';
import { oneLine } from '../../text.ts';
import { ChainsError, reasonOf } from '../../errors.ts';
import { tooLarge } from '../failures.ts';

/** MongoDB's error codes after which trying again doesn't help: of the credential, the permission, the document. */
const refused: ReadonlySet<number | string | undefined> = new Set([
  2, // BadValue
  8, // UnknownError: Atlas's code for "bad auth"
  9, // FailedToParse
  13, // Unauthorized
  18, // AuthenticationFailed
  26, // NamespaceNotFound
  52, // DollarPrefixedFieldName
  57, // DottedFieldName
  59, // CommandNotFound
  73, // InvalidNamespace
  121, // DocumentValidationFailure
  8000, // AtlasError
]);

const names: ReadonlySet<number | string | undefined> = new Set([
  2, // BadValue: FerretDB
  52, // DollarPrefixedFieldName
  57, // DottedFieldName
]);

/** Whether a server may have refused a document for the names of its fields: MongoDB allows dots since 3.6, others never did. */
export function mayRefuseNames(error: unknown): boolean {
  return error instanceof MongoServerError && (names.has(error.code) || /field name/i.test(error.message));
}

const tooLargeCodes: ReadonlySet<number | string | undefined> = new Set([10334, 17280, 17419, 17420]);

/**
 * The error for a call that failed: PAYLOAD_TOO_LARGE, STORE_REFUSED where trying again doesn't help, otherwise
 * STORE_UNAVAILABLE. The driver's error is not kept as its cause, since it may hold a password.
 * @param url the server's, so that none of its secrets is shown
 * @param limit of a document, in bytes
 */
export function failure(what: string, error: unknown, url: string, limit: number): ChainsError {
  const message = oneLine(`${what}: ${reasonWithout(url, error)}`);
  const code = error instanceof MongoError ? error.code : undefined;
  if (tooLargeCodes.has(code)) return tooLarge(what, undefined, limit);
  const isRefused = error instanceof MongoServerError && refused.has(code);
  return new ChainsError(isRefused ? 'STORE_REFUSED' : 'STORE_UNAVAILABLE', message);
}

/** What went wrong, without this URL and its password. */
export function reasonWithout(url: string, error: unknown): string {
  const [, credentials = ''] = /^[^/]*:\/\/(.*)@/.exec(url) ?? [];
  const [, password = ''] = credentials.split(/:(.*)/s);
  const secrets = [url, credentials, password, decoded(password)].filter((secret) => secret !== '');
  return secrets.reduce((text, secret) => text.replaceAll(secret, '…'), reasonOf(error));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
