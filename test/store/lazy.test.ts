import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Opens one store, and prints the packages that were loaded for it. */
const script = `
import { registerHooks } from 'node:module';
const packages = new Set();
registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context);
    const [, name] = /\\/node_modules\\/((?:@[^/]+\\/)?[^/]+)\\/(?!.*\\/node_modules\\/)/.exec(resolved.url) ?? [];
    if (name !== undefined) packages.add(name);
    return resolved;
  },
});
const [store, settings] = process.argv.slice(1);
const { parseConfig } = await import('./src/config/parse.ts');
const { stores } = await import('./src/store/index.ts');
packages.clear();
const opened = await (await stores[store]())(parseConfig(JSON.parse(settings)).config);
await opened.close?.();
console.log(JSON.stringify([...packages]));
`;

const sdks = ['undici', 'google-auth-library', '@platformatic/kafka'];
const topic = { 'storage.pubsub.topic': 'projects/p/topics/t' };
const kafka = { 'storage.pubsub.provider': 'kafka', 'storage.pubsub.kafka.bootstrap.servers': 'a:9092' };

for (const [store, settings, expected] of [
  ['tekton', {}, []],
  ['archivista', { 'storage.archivista.url': 'http://a' }, ['undici']],
  ['grafeas', { 'storage.grafeas.projectid': 'p' }, ['undici', 'google-auth-library']],
  ['pubsub', { ...topic, 'storage.pubsub.provider': 'gcp' }, ['undici', 'google-auth-library']],
  ['pubsub', { ...topic, ...kafka }, ['@platformatic/kafka']],
] as const) {
  test(`the store ${store} with ${JSON.stringify(settings)} loads of all clients only ${expected.join() || 'none'}`, async () => {
    const args = ['--input-type=module', '--eval', script, '--', store, JSON.stringify(settings)];
    const { stdout } = await run(process.execPath, args, { cwd: new URL('../..', import.meta.url).pathname });
    const loaded: readonly string[] = JSON.parse(stdout);
    assert.deepEqual(
      sdks.filter((name) => loaded.includes(name)),
      expected,
    );
  });
}
