import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { verify } from '../../src/index.ts';
import { startSandbox } from '../../sandbox/index.ts';
import { startVault, type VaultDouble } from '../doubles/vault.ts';
import { doneStatus, ended, eventually, mark, openWorld, type World } from './world.ts';

const runs = 12;

/** A controller that signs with a key in a Vault. */
async function openWorldWithVault(
  test: TestContext,
): Promise<{ world: World; vault: VaultDouble; publicKey: string }> {
  const [world, vault] = [await openWorld(await startSandbox({ life: false })), await startVault()];
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

async function createRuns(world: World, prefix: string): Promise<readonly string[]> {
  const names = Array.from({ length: runs }, (_, index) => `${prefix}-${index}`);
  for (const name of names) await world.createRun(name, { status: doneStatus });
  return names;
}

async function allSigned(world: World, names: readonly string[], publicKey: string): Promise<void> {
  for (const name of names) {
    const run = await ended(world, name);
    assert.equal(mark(run, 'signed'), 'true');
    assert.ok((await verify({ run, keys: [publicKey] })).verified);
  }
}

describe('the controller with a key in a KMS', () => {
  it('signs every run in the end when the KMS is down for a while, from the start or later', async (test) => {
    const { world, vault, publicKey } = await openWorldWithVault(test);
    vault.sealed = true;
    await world.startController();
    const early = await createRuns(world, 'early');
    await eventually('a run says why it waits', () =>
      world.logged.some((line) => line.includes('Vault is sealed')) ? true : undefined,
    );
    await pause(2_000);
    vault.sealed = false;
    await allSigned(world, early, publicKey);
    vault.sealed = true;
    const late = await createRuns(world, 'late');
    await pause(2_000);
    vault.sealed = false;
    await allSigned(world, late, publicKey);
  });

  it('tries again after ten seconds when the KMS takes questions and never answers', async (test) => {
    const { world, vault, publicKey } = await openWorldWithVault(test);
    await world.startController();
    await allSigned(world, await createRuns(world, 'before'), publicKey);
    vault.trouble.hang = true;
    const names = await createRuns(world, 'run');
    await eventually('it is said that there was no answer', () =>
      world.logged.some((line) => line.includes('no answer within 10 s')) ? true : undefined,
    );
    vault.trouble.hang = false;
    await allSigned(world, names, publicKey);
  });

  it('stores no signature that does not verify, and signs when the KMS tells the truth again', async (test) => {
    const { world, vault, publicKey } = await openWorldWithVault(test);
    vault.trouble.lie = 'with a flipped bit';
    await world.startController();
    const names = await createRuns(world, 'run');
    await eventually('it is said that a signature was thrown away', () =>
      world.logged.some((line) => line.includes('was thrown away')) ? true : undefined,
    );
    for (const name of names) assert.equal(mark(await world.run(name), 'signature-taskrun'), undefined);
    vault.trouble.lie = undefined;
    await allSigned(world, names, publicKey);
  });

  it('shows the token in no line of the log', async (test) => {
    const { world, vault, publicKey } = await openWorldWithVault(test);
    vault.revoke(vault.rootToken);
    await world.startController();
    await createRuns(world, 'run');
    await eventually('the refusal is logged', () =>
      world.logged.some((line) => line.includes('permission denied')) ? true : undefined,
    );
    assert.equal(publicKey.includes('PRIVATE'), false);
    assert.ok(!world.logged.some((line) => line.includes(vault.rootToken)));
  });
});
