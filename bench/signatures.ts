import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { keygen } from '../src/cli/commands/keygen.ts';
import { parseConfig } from '../src/config/parse.ts';
import { signers } from '../src/sign/index.ts';
import { readSecrets } from '../src/sign/secrets.ts';
import { median, say } from './report.ts';

const count = 1_000;
const silent = { write: () => true };

/** Prints the processor seconds that 1,000 signatures of 5 KB take with a key of each kind in a file: medians of some rounds. */
export async function signatures(rounds: number): Promise<void> {
  say(`processor seconds for ${count} signatures of 5 KB, one after the other, medians of ${rounds} rounds:`);
  for (const [type, name] of [
    ['ecdsa', 'x509'],
    ['ed25519', 'x509'],
    ['rsa', 'x509'],
    ['cosign', 'x509'],
    ['pgp', 'pgp'],
  ] as const) {
    const folder = await mkdtemp(join(tmpdir(), 'chains-bench-'));
    await keygen({ type, out: folder }, { stdout: silent, stderr: silent });
    const signer = await (await signers[name]())(parseConfig({}).config, await readSecrets(folder));
    await rm(folder, { recursive: true });
    const payload = Buffer.alloc(5_000, 'payload');
    const round = async (): Promise<number> => {
      const before = process.cpuUsage();
      for (let done = 0; done < count; done++) await signer.sign(payload);
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1_000_000;
    };
    // The first one warms up.
    await round();
    const seconds: number[] = [];
    for (let done = 0; done < rounds; done++) seconds.push(await round());
    say(`  ${type}: ${median(seconds).toFixed(3)} s`);
  }
}
