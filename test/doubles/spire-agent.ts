import { createServer, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { buffer } from 'node:stream/consumers';

/** A SPIRE agent's Workload API in this process: what it was asked, and how to stop it. */
export interface SpireAgentDouble {
  /** The audiences that tokens were asked for. */
  readonly audiences: readonly string[];
  close(): Promise<void>;
}

/** Answers `FetchJWTSVID` at a Unix socket (SPIFFE Workload API, 6.1), as gRPC does; without `svid` there is no identity for us. */
export async function startSpireAgent(
  socket: string,
  svid: (audience: string) => string | undefined,
): Promise<SpireAgentDouble> {
  const audiences: string[] = [];
  const sessions = new Set<{ destroy(): void }>();
  const server = createServer();
  server.on('session', (session) => sessions.add(session));
  server.on('stream', (stream, headers) => void answer(stream, headers));

  async function answer(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
    const fail = (status: number, message: string): void => {
      const trailers = { 'grpc-status': `${status}`, 'grpc-message': encodeURIComponent(message) };
      stream.respond(
        { ':status': 200, 'content-type': 'application/grpc', ...trailers },
        { endStream: true },
      );
    };
    const request = (await buffer(stream)).subarray(5);
    if (headers[':path'] !== '/SpiffeWorkloadAPI/FetchJWTSVID') return fail(12, 'unimplemented');
    if (headers['workload.spiffe.io'] !== 'true') return fail(3, 'security header missing from request');
    const audience = request.subarray(2).toString('utf8');
    if (request[0] !== 0x0a || request[1] !== audience.length) return fail(3, 'audience must be specified');
    audiences.push(audience);
    const token = svid(audience);
    if (token === undefined) return fail(7, 'no identity issued');
    const message = field(
      1,
      Buffer.concat([field(1, 'spiffe://example.org/chains'), field(2, token), field(3, 'hint')]),
    );
    const length = Buffer.alloc(5);
    length.writeUInt32BE(message.length, 1);
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.end(Buffer.concat([length, message]));
  }

  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return {
    audiences,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const session of sessions) session.destroy();
      }),
  };
}

function field(number: number, content: string | Buffer): Buffer {
  const bytes = Buffer.from(content);
  const size = bytes.length < 0x80 ? [bytes.length] : [(bytes.length & 0x7f) | 0x80, bytes.length >>> 7];
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...size]), bytes]);
}
