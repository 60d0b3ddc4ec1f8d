import { createHash, createHmac } from 'node:crypto';
import type { Request } from './service.ts';

/** What AWS refuses a request's signature for, or who signed it. */
export type Caller =
  | { readonly accessKey: string; readonly region: string; readonly service: string }
  | { readonly wrong: string };

/** Checks a request's Signature Version 4, as AWS's documentation of it says. */
export function callerOf(
  request: Request,
  secretOf: (accessKey: string, token: string | undefined) => string | undefined,
): Caller {
  const [, scope = '', signed = '', signature = ''] =
    /^AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
      request.headers.authorization ?? '',
    ) ?? [];
  const [accessKey = '', date = '', region = '', service = ''] = scope.split('/');
  if (signature === '') return { wrong: 'MissingAuthenticationTokenException' };
  const token = request.headers['x-amz-security-token'];
  const secret = secretOf(accessKey, typeof token === 'string' ? token : undefined);
  if (secret === undefined) return { wrong: 'UnrecognizedClientException' };
  const time = String(request.headers['x-amz-date']);
  const names = signed.split(';');
  const canonical = [
    request.method,
    request.url.pathname,
    request.url.search.slice(1),
    ...names.map(
      (name) =>
        `${name}:${String(request.headers[name] ?? '')
          .trim()
          .replace(/ +/g, ' ')}`,
    ),
    '',
    signed,
    sha256(request.body),
  ].join('\n');
  const text = ['AWS4-HMAC-SHA256', time, scope.slice(accessKey.length + 1), sha256(canonical)].join('\n');
  const key = [date, region, service, 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${secret}`);
  if (hmac(key, text).toString('hex') !== signature) return { wrong: 'InvalidSignatureException' };
  return { accessKey, region, service };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
