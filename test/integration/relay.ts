import { connect, createServer, type Socket } from 'node:net';

/** A line to a server that can be cut, or go dead without a word. */
export interface Relay {
  readonly port: number;
  /** How many connections were made. */
  connections(): number;
  /** Resets all connections. */
  cut(): void;
  /** Resets all connections, and every new one until `restore`. */
  refuse(): void;
  /** Connections pass again, new ones. */
  restore(): void;
  /** Nothing passes any more on the connections that are open now; new ones work. */
  stall(): void;
  close(): Promise<void>;
}

/** Starts a relay on loopback to a port of loopback. */
export async function startRelay(to: number): Promise<Relay> {
  const open = new Set<readonly [near: Socket, far: Socket]>();
  let [made, isRefusing] = [0, false];
  const server = createServer((near) => {
    made += 1;
    if (isRefusing) {
      near.on('error', () => near.destroy());
      near.resetAndDestroy();
      return;
    }
    const far = connect(to, '127.0.0.1');
    const pair = [near, far] as const;
    open.add(pair);
    near.pipe(far);
    far.pipe(near);
    for (const socket of pair) {
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        open.delete(pair);
        for (const other of pair) other.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the relay has no port');
  const cut = () => {
    for (const [near] of open) near.resetAndDestroy();
  };
  return {
    port: address.port,
    connections: () => made,
    cut,
    refuse() {
      isRefusing = true;
      cut();
    },
    restore() {
      isRefusing = false;
    },
    stall() {
      for (const [near, far] of open) {
        near.unpipe();
        far.unpipe();
      }
    },
    close() {
      cut();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
