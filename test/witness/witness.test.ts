import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../src/config/parse.ts';
import { openWitness } from '../../src/witness/index.ts';

test('without a transparency log there is no witness', async () => {
  assert.equal(await openWitness(parseConfig({}).config), undefined);
});

for (const value of ['true', 'manual']) {
  test(`a transparency log is not built yet, and says so with its key: ${value}`, async () => {
    const { config } = parseConfig({ 'transparency.enabled': value });
    await assert.rejects(openWitness(config), {
      code: 'BACKEND_NOT_BUILT',
      message: /^transparency\.enabled: /,
    });
  });
}
