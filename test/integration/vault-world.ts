import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { startSandbox } from '../../sandbox/index.ts';
import { verify } from '../../src/index.ts';
import { startVault, type VaultDouble } from '../doubles/vault.ts';
import { doneStatus, ended, mark, openWorld, type TestCluster, type World } from './world.ts';

const runs = 12;

/** A controller that signs with a key in a Vault. */
export async function openWorldWithVault(
  test: TestContext,
  start: () => Promise<TestCluster> = () => startSandbox({ life: false }),
): Promise<{ world: World; vault: VaultDouble; publicKey: string }> {
  const [world, vault] = [await openWorld(await start()), await startVault()];
  test.after(() => Promise.all([world.close(), vault.close()]));
  vault.createKey('chains', 'P-256');
  await world.configure({
    'artifacts.taskrun.signer': 'kms',
    'artifacts.oci.signer': 'kms',
    'artifacts.oci.storage': 'tekton',
    'signers.kms.kmsref': 'hashivault://chains',
    'signers.kms.auth.address': vault.address,
    'signers.kms.auth.token': vault.rootToken,
  });
  const [version] = vault.keys.get('chains')?.versions ?? [];
  const publicKey = version?.publicKey.export({ format: 'pem', type: 'spki' }).toString() ?? '';
  return { world, vault, publicKey };
}

/** Creates twelve finished runs; resolves to their names. */
export async function createRuns(world: World, prefix: string): Promise<readonly string[]> {
  const names = Array.from({ length: runs }, (_, index) => `${prefix}-${index}`);
  for (const name of names) await world.createRun(name, { status: doneStatus });
  return names;
}

/** Waits until all are signed, and verifies each. */
export async function allSigned(world: World, names: readonly string[], publicKey: string): Promise<void> {
  for (const name of names) {
    const run = await ended(world, name);
    assert.equal(mark(run, 'signed'), 'true');
    assert.ok((await verify({ run, keys: [publicKey] })).verified);
  }
}
