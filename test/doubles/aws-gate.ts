import { createHash, createHmac } from 'node:crypto';
import { type Gate, type GateAnswer, type GateRequest, handOn, openGate } from './gate.ts';

/** Who may ask. */
export interface AwsKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** An error as DynamoDB writes it. */
export function dynamodbError(name: string, message: string): GateAnswer {
  const namespace = name.startsWith('Provisioned')
    ? 'com.amazonaws.dynamodb.v20120810'
    : 'com.amazon.coral.service';
  return {
    status: 400,
    headers: { 'content-type': 'application/x-amz-json-1.0' },
    bytes: Buffer.from(JSON.stringify({ __type: `${namespace}#${name}`, message })),
  };
}

/** Opens a gate in front of a DynamoDB that checks no signatures: it lets those requests through that the key signed. */
export function openAwsGate(port: number, key: AwsKey): Promise<Gate> {
  const onward = handOn(port);
  return openGate((request) => {
    const signed = readSignature(request);
    if (signed === undefined) {
      return dynamodbError('MissingAuthenticationTokenException', 'Request is missing Authentication Token');
    }
    if (signed.accessKeyId !== key.accessKeyId) {
      return dynamodbError(
        'UnrecognizedClientException',
        'The security token included in the request is invalid.',
      );
    }
    if (signed.signature !== signatureOf(request, signed, key.secretAccessKey)) {
      return dynamodbError(
        'InvalidSignatureException',
        'The request signature we calculated does not match the signature you provided.',
      );
    }
    return onward(request);
  });
}

interface Signed {
  readonly accessKeyId: string;
  /** Date, region, service and `aws4_request`. */
  readonly scope: readonly string[];
  readonly headers: readonly string[];
  readonly signature: string;
}

function readSignature({ headers }: GateRequest): Signed | undefined {
  const [, credential = '', names = '', signature] =
    /^AWS4-HMAC-SHA256 Credential=(\S+), SignedHeaders=(\S+), Signature=(\w+)$/.exec(
      headers.authorization ?? '',
    ) ?? [];
  if (signature === undefined) return undefined;
  const [accessKeyId = '', ...scope] = credential.split('/');
  return { accessKeyId, scope, headers: names.split(';'), signature };
}

/** Signature Version 4, as AWS's documentation of it says. */
function signatureOf(request: GateRequest, { scope, headers }: Signed, secret: string): string {
  const lines = headers.map((name) => `${name}:${String(request.headers[name]).trim()}\n`).join('');
  const canonical = [
    request.method,
    request.url.pathname,
    request.url.search.slice(1),
    lines,
    headers.join(';'),
    sha256(request.body),
  ].join('\n');
  const date = String(request.headers['x-amz-date']);
  const text = ['AWS4-HMAC-SHA256', date, scope.join('/'), sha256(canonical)].join('\n');
  const key = scope.reduce<string | Buffer>(hmac, `AWS4${secret}`);
  return hmac(key, text).toString('hex');
}

function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
