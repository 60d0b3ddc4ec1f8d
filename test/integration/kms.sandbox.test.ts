import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { allSigned, createRuns, openWorldWithVault } from './vault-world.ts';
import { eventually, mark } from './world.ts';

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

  it('stores no signature that does not verify, and signs when the KMS signs correctly again', async (test) => {
    const { world, vault, publicKey } = await openWorldWithVault(test);
    vault.trouble.lie = 'with a flipped bit';
    await world.startController();
    const names = await createRuns(world, 'run');
    await eventually('it is said that a signature was discarded', () =>
      world.logged.some((line) => line.includes('was discarded')) ? true : undefined,
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
