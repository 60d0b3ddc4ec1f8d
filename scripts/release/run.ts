import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Runs a program to its end and gives its standard output; an error says what it printed, or which package has it. */
export async function run(
  program: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<string> {
  try {
    const { stdout } = await execute(program, args, { ...options, maxBuffer: 64 * 1024 * 1024 });
    return stdout;
  } catch (error) {
    const { code, stderr }: { code?: unknown; stderr?: unknown } = Object.assign({}, error);
    const why =
      code === 'ENOENT' ? `${program} is not installed` : `${program} failed: ${String(stderr ?? '').trim()}`;
    throw new Error(why, { cause: error });
  }
}
