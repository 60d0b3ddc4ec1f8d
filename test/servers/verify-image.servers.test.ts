import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseConfig } from '../../src/config/parse.ts';
import { verifyImage } from '../../src/verify/image.ts';
import { readKeys } from '../../src/verify/public-key.ts';
import { RepositoryView } from '../store/oci/world.ts';
import { verifyImageSuite } from '../verify/image.suite.ts';
import { startDockerRegistry, startReferrersRegistry } from './registries.ts';
import { folderFor, say } from './signed.ts';
import { tool } from './tools.ts';

verifyImageSuite('verifying images in the real docker-registry', startDockerRegistry);
verifyImageSuite('verifying images in a real registry with referrers', startReferrersRegistry);

/** What keeps each version of cosign from asking for a transparency log. */
const offline = {
  'cosign 2': ['--tlog-upload=false'],
  'cosign 3': ['--tlog-upload=false', '--use-signing-config=false'],
};

for (const version of ['cosign 2', 'cosign 3'] as const) {
  test(`what the real ${version} signed and attested verifies`, { timeout: 120_000 }, async (context) => {
    const registry = await startReferrersRegistry();
    context.after(() => registry.close());
    const folder = await folderFor(context);
    const env = { HOME: folder, COSIGN_PASSWORD: 'x' };
    const cosign = (...parameters: string[]) => say(tool(version), parameters, { cwd: folder, env });
    await cosign('generate-key-pair');
    await writeFile(join(folder, 'predicate'), JSON.stringify({ builder: { id: 'b' }, buildType: 't' }));
    const image = await new RepositoryView(registry, 'acme/app').pushImage(version);
    await cosign('sign', '--key', 'cosign.key', '--yes', ...offline[version], image);
    await cosign(
      'attest',
      '--key',
      'cosign.key',
      '--yes',
      ...offline[version],
      '--predicate',
      'predicate',
      '--type',
      'slsaprovenance',
      image,
    );
    const keys = await readKeys([await readFile(join(folder, 'cosign.pub'), 'utf8')]);
    const { verification } = await verifyImage(image, parseConfig({}).config, {
      keys,
      expected: { builderId: 'b' },
    });
    assert.ok(verification.verified, JSON.stringify(verification.checks));
    assert.equal(verification.checks.filter(({ name }) => name.endsWith(' signature')).length, 2);
  });
}
