import assert from 'node:assert/strict';
import { cp, mkdir, readFile, symlink } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePorts, run, start } from './process.ts';
import { folderFor } from './signed.ts';
import { type Tool, tool } from './tools.ts';

export const project = fileURLToPath(new URL('../..', import.meta.url));

/** What the shell of the walk-through has set; `IMAGE` is an image in a registry. */
export type Surroundings = Readonly<Record<'KUBECONFIG' | 'IMAGE' | 'SIGNING_SECRETS', string>>;

const document = 'docs/walk-through.md';

/** The blocks of the walk-through in their order, and what shows that each came out well. */
const blocks: readonly (readonly [name: string, said: readonly RegExp[]])[] = [
  ['x509', [/^Verified OK$/m, /^ {2}verified$/m]],
  ['image', [/^ {2}verified$/m, /The signatures were verified against the specified public key/]],
  ['pgp', [/^gpg: Good signature from "Builds <builds@example.com>"/m, /^ {2}verified$/m]],
  ['cosign', [/^Verified OK$/m, /^ {2}verified$/m]],
  ['kms', [/^Verified OK$/m, /^ {2}verified\n[^]*^ {2}verified$/m]],
];

/** Runs every block in a shell, as it stands in the document; each is a test of its own. `log` is the controller's, for when one fails. */
export async function walkThrough(
  context: TestContext,
  surroundings: Surroundings,
  cosign: 'cosign 2' | 'cosign 3',
  log: () => string,
): Promise<void> {
  const folder = await folderFor(context);
  await furnish(folder);
  const programs: readonly Tool[] = ['kubectl', 'vault', cosign];
  const environment = {
    ...process.env,
    ...surroundings,
    ...(await startVault(context, folder)),
    PATH: [...programs.map((name) => dirname(tool(name))), process.env['PATH']].join(delimiter),
    HOME: folder,
    TMPDIR: folder,
  };
  for (const [name, expected] of blocks) {
    await context.test(`${name}, as in ${document}`, async () => {
      const commands = await commandsOf(name);
      const bounded = ['90', 'bash', '-euo', 'pipefail', '-c', commands];
      const shell = await run('timeout', bounded, { cwd: folder, environment });
      const said = shell.stdout + shell.stderr;
      assert.equal(shell.code, 0, `${said}\nThe controller:\n${log().slice(-4000)}`);
      for (const pattern of expected) assert.match(said, pattern);
    });
  }
}

async function commandsOf(name: string): Promise<string> {
  const text = await readFile(join(project, document), 'utf8');
  const block = new RegExp(`<!-- walk-through ${name} -->\\n\`\`\`sh\\n([^]*?)\`\`\``).exec(text)?.[1];
  assert.ok(block !== undefined, `${document} has a walk-through ${name}`);
  return block;
}

/** What a checkout has that the commands need: the examples, and the program for npx. */
async function furnish(folder: string): Promise<void> {
  const programs = join(folder, 'node_modules', '.bin');
  await mkdir(programs, { recursive: true });
  await symlink(join(project, 'bin/chains.js'), join(programs, 'chains'));
  await cp(join(project, 'examples'), join(folder, 'examples'), { recursive: true });
}

/** `vault server -dev`; gives the variables that it tells its user to set, and what both it and its client need here. */
async function startVault(
  context: TestContext,
  folder: string,
): Promise<Readonly<Record<'VAULT_ADDR' | 'VAULT_TOKEN' | 'GODEBUG', string>>> {
  const [port] = await freePorts(1);
  const address = `127.0.0.1:${port}`;
  // A certificate inside one of its plugins has a negative serial number, which newer versions of Go refuse.
  const GODEBUG = 'x509negativeserial=1';
  const environment = { ...process.env, HOME: folder, GODEBUG };
  const vault = start(tool('vault'), ['server', '-dev', `-dev-listen-address=${address}`], { environment });
  context.after(() => vault.stop());
  const [, token = ''] = await vault.printed(/Root Token: (\S+)/);
  return { VAULT_ADDR: `http://${address}`, VAULT_TOKEN: token, GODEBUG };
}
