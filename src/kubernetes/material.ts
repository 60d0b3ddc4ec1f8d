import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { ChainsError } from '../errors.ts';

/** CONNECTION_INVALID: `where` is a file, or a file and the field in it. */
export function invalid(where: string, problem: string, hint?: string): ChainsError {
  return new ChainsError('CONNECTION_INVALID', `${where}: ${problem}`, hint === undefined ? {} : { hint });
}

/** The text of a file. @param where what names the file, for the message */
export async function readText(path: string, where: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const problems: Readonly<Record<string, string>> = {
      ENOENT: 'does not exist',
      EACCES: 'may not be read by this user',
      EISDIR: 'is a folder',
    };
    const problem = problems[String(code)] ?? `can't be read (${String(code)})`;
    throw invalid(where, `the file ${path} ${problem}; correct the path or the file`);
  }
}

/** Decodes a `*-data` field. */
export function decodeBase64(data: string, where: string): string {
  const compact = data.replace(/\s+/g, '');
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(compact)) {
    throw invalid(where, 'is not base64; it must be the base64 of a PEM file');
  }
  return Buffer.from(compact, 'base64').toString('utf8');
}

/** The header for a bearer token, which may come with white space around it. */
export function bearer(token: string, where: string): string {
  const trimmed = token.trim();
  if (trimmed === '') throw invalid(where, 'is empty; it must hold a token');
  if (!/^[\x21-\x7e]+$/.test(trimmed)) {
    throw invalid(where, 'holds characters that no token has; it must hold one token and nothing else');
  }
  return `Bearer ${trimmed}`;
}

/** Checks CA certificates and returns them: there is one, all can be read, and not all of them have expired. */
export function checkCa(pem: string, where: string, now: number): string {
  const certificates = readCertificates(pem, where);
  if (certificates.every((certificate) => expiryOf(certificate) < now)) {
    throw invalid(where, `the CA certificate has expired on ${certificates[0]?.validTo}; get the new one`);
  }
  return pem;
}

/** Checks a client certificate and its key and returns them: readable, not expired, a pair. */
export function checkPair(
  pair: { readonly cert: string; readonly key: string },
  where: { readonly cert: string; readonly key: string },
  now: number,
): { cert: string; key: string; expires: number } {
  const [certificate] = readCertificates(pair.cert, where.cert);
  if (certificate === undefined) throw invalid(where.cert, 'holds no certificate');
  const expires = expiryOf(certificate);
  if (expires < now) {
    throw invalid(where.cert, `the client certificate has expired on ${certificate.validTo}; get a new one`);
  }
  if (!certificate.checkPrivateKey(readKey(pair.key, where.key))) {
    throw invalid(where.key, 'is not the key of the client certificate; give the two that belong together');
  }
  return { ...pair, expires };
}

function readKey(pem: string, where: string) {
  if (/ENCRYPTED/.test(pem)) {
    throw invalid(where, 'the key is encrypted; decrypt it first: openssl pkey -in key.pem -out plain.pem');
  }
  try {
    return createPrivateKey(pem);
  } catch {
    throw invalid(where, 'is not a private key in PEM');
  }
}

function readCertificates(pem: string, where: string): readonly X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw invalid(where, 'holds no certificate in PEM (BEGIN CERTIFICATE)');
  return blocks.map((block, index) => {
    try {
      return new X509Certificate(block);
    } catch {
      throw invalid(where, `certificate ${index + 1} in it is broken`);
    }
  });
}

function expiryOf(certificate: X509Certificate): number {
  return certificate.validToDate.getTime();
}
