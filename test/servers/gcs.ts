import { request } from 'undici';
import { handOn, openGate, type Respond } from '../doubles/gate.ts';
import type { GcsUnderTest } from '../store/gcs.suite.ts';
import { untilAnswers } from './answers.ts';
import { freePorts, start } from './process.ts';
import { tool } from './tools.ts';

/** A fake-gcs-server with the bucket `chains`, which `STORAGE_EMULATOR_HOST` names from now on. */
export async function startFakeGcs(): Promise<GcsUnderTest> {
  const [port = 0] = await freePorts(1);
  let respond: Respond = () => ({ status: 503 });
  const gate = await openGate((received) => respond(received));
  const server = start(tool('fake-gcs-server'), [
    ...['-scheme', 'http', '-host', '127.0.0.1', '-port', `${port}`],
    // It is what the addresses of upload sessions begin with.
    ...['-external-url', gate.url, '-public-host', `127.0.0.1:${gate.port}`],
    ...['-backend', 'memory'],
  ]);
  await untilAnswers(`http://127.0.0.1:${port}/storage/v1/b`, server);
  respond = handOn(port);
  const api = `http://127.0.0.1:${port}/storage/v1/b`;
  const headers = { 'content-type': 'application/json' };
  await request(api, { method: 'POST', headers, body: JSON.stringify({ name: 'chains' }) });
  process.env['STORAGE_EMULATOR_HOST'] = `127.0.0.1:${gate.port}`;
  return {
    gate,
    async read(name) {
      const answer = await request(`${api}/chains/o/${encodeURIComponent(name)}?alt=media`);
      if (answer.statusCode === 404) return undefined;
      const generation = String(answer.headers['x-goog-generation']);
      return { generation, bytes: Buffer.from(await answer.body.bytes()) };
    },
    async list(prefix) {
      const answer = await request(`${api}/chains/o?prefix=${encodeURIComponent(prefix)}`);
      const { items = [] } = (await answer.body.json()) as { items?: { name: string }[] };
      return items.map(({ name }) => name);
    },
    async close() {
      await gate.close();
      await server.stop();
    },
  };
}
