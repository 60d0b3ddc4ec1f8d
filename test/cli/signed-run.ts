import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { keygen } from '../../src/cli/commands/keygen.ts';
import { runSign } from '../../src/cli/commands/sign.ts';
import { runVerify, type VerifyArguments } from '../../src/cli/commands/verify.ts';
import type { JsonObject } from '../../src/json.ts';
import { digest } from '../runs.ts';

/** The run that is signed. */
export const run: JsonObject = {
  apiVersion: 'tekton.dev/v1',
  kind: 'TaskRun',
  metadata: { namespace: 'ci', name: 'build', uid: 'uid-1' },
  spec: { taskSpec: { steps: [{ name: 'compile', image: 'gcr.io/tools/builder' }] } },
  status: {
    conditions: [{ type: 'Succeeded', status: 'True' }],
    startTime: '2026-01-01T10:00:00Z',
    completionTime: '2026-01-01T10:05:00Z',
    results: [
      { name: 'IMAGES', value: `gcr.io/acme/app@${digest('a')}` },
      { name: 'CHAINS-GIT_URL', value: 'https://github.com/acme/app' },
      { name: 'CHAINS-GIT_COMMIT', value: '5f0c6d7e8a9b0c1d2e3f4a5b6c7d8e9f0a1b2c3d' },
    ],
  },
};

/** A configuration that makes SLSA provenance. */
export const slsaV1 = { 'artifacts.taskrun.format': 'slsa/v2alpha3' };
/** Streams for commands whose output doesn't matter. */
export const silent = {
  stdout: { write: (): boolean => true },
  stderr: { write: (): boolean => true },
};

/** A folder with a key of this type and the run, signed with it, in `signed.yaml`. */
export async function signedWith(
  context: TestContext,
  type: string,
  config: Readonly<Record<string, string>> = slsaV1,
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'chains-verify-'));
  context.after(() => rm(folder, { recursive: true }));
  if (type !== 'kms') await keygen({ type, out: folder }, silent, {});
  await writeFile(join(folder, 'run.json'), JSON.stringify(run));
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  let signed = '';
  const options = { file: [join(folder, 'run.json')], config: join(folder, 'config.json') };
  const code = await runSign(
    { ...options, signingSecrets: folder, output: 'yaml' },
    (text) => (signed += text),
  );
  assert.equal(code, 0);
  await writeFile(join(folder, 'signed.yaml'), signed);
  return folder;
}

/** Runs the command on the signed run of a folder. */
export async function verified(
  folder: string,
  key: readonly string[],
  options: Partial<VerifyArguments> = {},
): Promise<{ out: string; code: number }> {
  let out = '';
  const file = [join(folder, 'signed.yaml')];
  const defaults = { file, systemNamespace: 'tekton-chains', output: 'text' } as const;
  const code = await runVerify([], { ...defaults, key, ...options }, (text) => (out += text));
  return { out, code };
}
