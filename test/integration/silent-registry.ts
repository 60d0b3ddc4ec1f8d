import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import type { JsonObject } from '../../src/json.ts';
import { doneStatus } from './world.ts';

/** A registry that takes connections and never says a word. */
export interface SilentRegistry {
  readonly host: string;
  /** Connections that it has been given so far. */
  readonly asked: () => number;
  /** The status of a run that says it built an image there. */
  readonly status: JsonObject;
  close(): Promise<void>;
}

/** Starts one on loopback. */
export async function startSilentRegistry(): Promise<SilentRegistry> {
  const sockets = new Set<Socket>();
  let asked = 0;
  const server = createServer((socket) => {
    asked += 1;
    sockets.add(socket.on('error', () => {}).on('close', () => sockets.delete(socket)));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const host = `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  const results = [{ name: 'IMAGES', value: `${host}/acme/app@sha256:${'1'.repeat(64)}` }];
  return {
    ...{ host, asked: () => asked, status: { ...doneStatus, results } },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
