import { type IncomingHttpHeaders, connect, constants } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { buffer as bytesOf } from 'node:stream/consumers';
import type { Failures } from '../http/failures.ts';
import { oneLine } from '../text.ts';

/** Temporary gRPC statuses: deadline exceeded, resource exhausted, aborted, internal, unavailable. */
const temporary: ReadonlySet<string> = new Set(['4', '8', '10', '13', '14']);

/**
 * A JWT-SVID for the audience from the SPIFFE Workload API (SPIFFE_Workload_API.md, 6.1) at a Unix socket. One unary gRPC
 * call with two messages of one relevant field each, so that no gRPC library is needed.
 * @param socket `unix:///run/spire/agent.sock`, or the path alone
 * @throws ChainsError of the failures' codes: refused when the agent gives us no identity, unavailable when it doesn't answer.
 */
export async function fetchJwtSvid(
  socket: string,
  audience: string,
  { unanswered, unusable }: Failures,
  signal: AbortSignal,
): Promise<string> {
  const path = socket.replace(/^unix:(\/\/)?/, '');
  const what = `fetch a JWT-SVID from ${path}`;
  const { message, status, reason } = await unaryCall(
    path,
    '/SpiffeWorkloadAPI/FetchJWTSVID',
    field(1, Buffer.from(audience)),
    signal,
  ).catch((error: unknown) => {
    signal.throwIfAborted();
    throw unanswered(what, error);
  });
  if (status !== '0') {
    const text = oneLine(
      `${what}: gRPC status ${status} ${reason}; is there a SPIRE entry for this workload?`,
    );
    throw temporary.has(status) ? unanswered(text, 'the agent is busy') : unusable(text);
  }
  // JWTSVIDResponse.svids = 1, JWTSVID.svid = 2
  const svid = fieldsOf(message).get(1);
  const token = svid === undefined ? undefined : fieldsOf(svid).get(2);
  if (token === undefined)
    throw unusable(`${what}: the answer holds none; is there a SPIRE entry for this workload?`);
  return Buffer.from(token).toString('utf8');
}

/** One gRPC call over HTTP/2 (gRPC over HTTP2, "Requests" and "Responses"). */
async function unaryCall(
  socket: string,
  method: string,
  request: Uint8Array,
  signal: AbortSignal,
): Promise<{ readonly message: Uint8Array; readonly status: string; readonly reason: string }> {
  const session = connect('http://localhost', { createConnection: () => connectSocket(socket) });
  const broken = new Promise<never>((_, reject) => session.once('error', reject));

  const call = async () => {
    const stream = session.request(
      {
        [constants.HTTP2_HEADER_METHOD]: 'POST',
        [constants.HTTP2_HEADER_PATH]: method,
        [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
        [constants.HTTP2_HEADER_TE]: 'trailers',
        // The Workload API requires this header, which a cross-site request from a browser can't have.
        'workload.spiffe.io': 'true',
      },
      { signal },
    );
    // An error without a message comes as trailers in the headers.
    const trailers = { status: 'unknown', reason: '' };
    const read = (headers: IncomingHttpHeaders): void => {
      trailers.status = String(headers['grpc-status'] ?? trailers.status);
      trailers.reason = percentDecoded(String(headers['grpc-message'] ?? trailers.reason));
    };
    stream.on('response', read).on('trailers', read);
    const length = Buffer.alloc(5);
    length.writeUInt32BE(request.length, 1);
    stream.end(Buffer.concat([length, request]));
    const message = await bytesOf(stream);
    return { ...trailers, message: message.subarray(5) };
  };

  try {
    return await Promise.race([broken, call()]);
  } finally {
    session.destroy();
  }
}

/** A status message with its ASCII decoded; other characters remain percent-encoded. */
function percentDecoded(text: string): string {
  return text.replace(/%([0-7][0-9a-f])/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/** A protobuf field of the wire type "length-delimited". */
function field(number: number, content: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...varint(content.length)]), content]);
}

function varint(value: number): readonly number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];
}

/** The first length-delimited field of each number in a message that has no other fields. */
function fieldsOf(message: Uint8Array): ReadonlyMap<number, Uint8Array> {
  const fields = new Map<number, Uint8Array>();
  let at = 0;
  const read = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = message[at++] ?? 0;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const tag = read();
    const length = read();
    if ((tag & 7) !== 2) break;
    const content = message.subarray(at, at + length);
    at += length;
    if (!fields.has(tag >> 3)) fields.set(tag >> 3, content);
  }
  return fields;
}
