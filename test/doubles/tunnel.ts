import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';

/** An HTTP proxy. */
export interface Tunnel {
  readonly url: string;
  close(): Promise<void>;
}

/** Starts a proxy that takes CONNECT to the hosts of `ports` and leads it to those ports on the loopback interface. */
export async function startTunnel(ports: Readonly<Record<string, number>>): Promise<Tunnel> {
  const server = createServer();
  server.on('connect', (request, socket) => {
    const port = ports[(request.url ?? '').replace(/:443$/, '')];
    if (port === undefined) {
      socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
      return;
    }
    const onward = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      onward.pipe(socket).pipe(onward);
    });
    for (const end of [onward, socket]) end.on('error', () => [onward, socket].map((one) => one.destroy()));
    onward.on('close', () => socket.destroy());
    socket.on('close', () => onward.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
