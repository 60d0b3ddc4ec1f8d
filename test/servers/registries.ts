import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { TestRegistry } from '../store/oci/world.ts';
import { freePorts, type Running, start, temporaryFolder } from './process.ts';
import { tool } from './tools.ts';

/** Debian's docker-registry: no referrers API. Its log and data are gone when it is closed. @param more of its configuration */
export async function startDockerRegistry(more: object = {}): Promise<TestRegistry> {
  const folder = await temporaryFolder('docker-registry');
  const [port] = await freePorts(1);
  const file = join(folder.path, 'config.yml');
  const configuration = {
    version: '0.1',
    storage: { filesystem: { rootdirectory: join(folder.path, 'data') } },
    http: { addr: `127.0.0.1:${port}` },
    ...more,
  };
  // What is JSON is YAML too.
  await writeFile(file, JSON.stringify(configuration));
  return opened(port, start(tool('docker-registry'), ['serve', file]), folder.remove);
}

/** go-containerregistry's registry: in memory, with the referrers API. */
export async function startReferrersRegistry(): Promise<TestRegistry> {
  const [port] = await freePorts(1);
  return opened(port, start(tool('registry'), [`127.0.0.1:${port}`]), async () => {});
}

async function opened(
  port: number | undefined,
  program: Running,
  remove: () => Promise<void>,
): Promise<TestRegistry> {
  const host = `localhost:${port}`;
  const answers = async (): Promise<boolean> =>
    (await fetch(`http://${host}/v2/`).catch(() => undefined)) !== undefined;
  const ended = program.finished.then(({ code }) => {
    throw new Error(`the registry ended with ${code}:\n${program.output()}`);
  });
  for (let tries = 0; tries < 400 && !(await Promise.race([answers(), ended])); tries += 1) await pause(25);
  ended.catch(() => {});
  return {
    host,
    async close() {
      await program.stop();
      await remove();
    },
  };
}
