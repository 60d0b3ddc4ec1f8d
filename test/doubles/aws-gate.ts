import { callerOf } from './aws-signature.ts';
import { type Gate, type GateAnswer, handOn, openGate } from './gate.ts';

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

const messages: Readonly<Record<string, string>> = {
  MissingAuthenticationTokenException: 'Request is missing Authentication Token',
  UnrecognizedClientException: 'The security token included in the request is invalid.',
  InvalidSignatureException: 'The request signature we calculated does not match the signature you provided.',
};

/** Opens a gate in front of a DynamoDB that checks no signatures: it lets those requests through that the key signed. */
export function openAwsGate(port: number, key: AwsKey): Promise<Gate> {
  const onward = handOn(port);
  return openGate((request) => {
    const caller = callerOf({ ...request, body: request.body.toString('utf8') }, (accessKey) =>
      accessKey === key.accessKeyId ? key.secretAccessKey : undefined,
    );
    return 'wrong' in caller ? dynamodbError(caller.wrong, messages[caller.wrong] ?? '') : onward(request);
  });
}
