import { test } from 'node:test';
import { allSigned, createRuns, openWorldWithVault } from '../integration/vault-world.ts';
import { eventually } from '../integration/world.ts';
import { startCluster } from './cluster.ts';

test('the controller tries again after ten seconds when the KMS takes questions and never answers', async (context) => {
  const { world, vault, publicKey } = await openWorldWithVault(context, startCluster);
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
