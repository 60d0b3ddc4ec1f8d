/**
 * Records what a private Sigstore confirms of signatures, for tests that have none: evidence stays provable for ever.
 * `node scripts/node.js test/servers/record-evidence.ts` writes test/sigstore/evidence.json anew, with another Sigstore.
 */
import { writeFile } from 'node:fs/promises';
import { parseJson } from '../../src/json.ts';
import { parseRun } from '../../src/model/run.ts';
import { evidenceOf } from '../../src/sigstore/bundle.ts';
import { builtRun, startSigstoreWorld } from './sigstore-world.ts';

const world = await startSigstoreWorld();
const image = `registry.example.com/app@sha256:${'a'.repeat(64)}`;
const cases = [];
// The first entry of a log needs no hashes to prove it.
for (const api of ['v1', 'v2'] as const) {
  const pipeline = world.open({ ...world.log(api), ...world.timestamps });
  await pipeline.process(parseRun(builtRun(image)));
  await pipeline.close();
}
for (const keyless of [true, false]) {
  for (const api of ['v1', 'v2'] as const) {
    const pipeline = world.open({
      ...(keyless ? world.keyless : {}),
      ...world.log(api),
      ...world.timestamps,
      'artifacts.taskrun.format': 'slsa/v2alpha4',
    });
    for (const draft of (await pipeline.draft(parseRun(builtRun(image)))).drafts) {
      const entry = await pipeline.signDraft(draft);
      if ('stage' in entry) throw entry.error;
      const { payload, signature, transparency } = entry;
      cases.push({
        name: `${keyless ? 'a short-lived key' : 'a key of our own'}, ${api}, ${payload.dsseType === undefined ? 'bare' : 'an envelope'}`,
        payload: Buffer.from(payload.bytes).toString('base64'),
        signature: Buffer.from(signature.bytes).toString('base64'),
        certificate: signature.certificate ?? '',
        evidence: evidenceOf(transparency),
      });
    }
    await pipeline.close();
  }
}
const recorded = {
  trustedRoot: parseJson(world.trustedRoot),
  publicKey: world.publicKey,
  identity: world.identity,
  issuer: world.sigstore.issuer,
  cases,
};
await writeFile(
  new URL('../sigstore/evidence.json', import.meta.url),
  `${JSON.stringify(recorded, null, 1)}\n`,
);
await world.close();
