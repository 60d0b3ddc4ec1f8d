import { createServer, type IncomingHttpHeaders } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { attributesOf, messageOf, number, text } from './protobuf.ts';

/** A span as it arrived. Ids are in hex; `parentId` is empty for a root. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string;
  readonly name: string;
  readonly nanoseconds: bigint;
  readonly attributes: Readonly<Record<string, string | number>>;
  /** 2 is an error. */
  readonly status: number;
  readonly resource: Readonly<Record<string, string | number>>;
}

/** What a collector does with a request. */
export type Manner = 'takes' | 'refuses' | 'hangs';

/** A collector that takes traces over OTLP/HTTP. */
export interface Collector {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly url: string;
  readonly spans: ReceivedSpan[];
  readonly requests: {
    readonly path: string;
    readonly headers: IncomingHttpHeaders;
    readonly body: Buffer;
  }[];
  /** May be changed at any time. */
  manner: Manner;
  close(): Promise<void>;
}

/** Starts a collector on a free port. */
export async function startCollector(manner: Manner = 'takes'): Promise<Collector> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const sent = Buffer.concat(chunks);
      const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
      collector.requests.push({ path: request.url ?? '', headers: request.headers, body });
      if (collector.manner === 'hangs') return;
      if (collector.manner === 'takes') collector.spans.push(...spansIn(body));
      response.writeHead(collector.manner === 'takes' ? 200 : 401, {
        'content-type': 'application/x-protobuf',
      });
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('it has no port');
  const collector: Collector = {
    url: `http://127.0.0.1:${address.port}`,
    spans: [],
    requests: [],
    manner,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return collector;
}

/** The spans of an ExportTraceServiceRequest, by the field numbers of OTLP 1. */
function spansIn(body: Buffer): readonly ReceivedSpan[] {
  return messageOf(body)
    .all(1)
    .flatMap((ofResource) => {
      const resource = attributesOf(messageOf(messageOf(ofResource).one(1)).all(1));
      return messageOf(ofResource)
        .all(2)
        .flatMap((ofScope) =>
          messageOf(ofScope)
            .all(2)
            .map((span): ReceivedSpan => {
              const fields = messageOf(span);
              return {
                traceId: fields.one(1).toString('hex'),
                spanId: fields.one(2).toString('hex'),
                parentId: fields.one(4).toString('hex'),
                name: text(fields.one(5)),
                nanoseconds: fields.one(8).readBigUInt64LE() - fields.one(7).readBigUInt64LE(),
                attributes: attributesOf(fields.all(9)),
                status: number(messageOf(fields.one(15)).one(3)),
                resource,
              };
            }),
        );
    });
}
