import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type TestContext, test } from 'node:test';
import { followConfig } from '../../src/controller/live-config.ts';
import { openConnection } from '../../src/kubernetes/connection.ts';
import { Rest } from '../../src/kubernetes/rest.ts';
import { at } from '../../src/json.ts';
import { type Sandbox, startSandbox } from '../../sandbox/index.ts';

const namespace = 'tekton-chains';

/** Resolves once the condition holds; fails after a bound that no healthy machine needs. */
async function until(condition: () => boolean, what: string): Promise<void> {
  const end = Date.now() + 20_000;
  while (!condition()) {
    assert(Date.now() < end, `never: ${what}`);
    await pause(5);
  }
}

function put(sandbox: Sandbox, data: Record<string, string>): void {
  const metadata = { name: 'chains-config', namespace };
  sandbox.objects.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data });
}

async function followed(t: TestContext, data?: Record<string, string>) {
  const sandbox = await startSandbox();
  t.after(() => sandbox.close());
  if (data !== undefined) put(sandbox, data);
  const folder = await mkdtemp(join(tmpdir(), 'chains-config-'));
  t.after(() => rm(folder, { recursive: true }));
  const kubeconfig = join(folder, 'kubeconfig');
  await writeFile(kubeconfig, sandbox.kubeconfig);
  const rest = new Rest(await openConnection({ kubeconfig }));
  const stop = new AbortController();
  const formats: string[] = [];
  const troubles: (string | undefined)[] = [];
  const warnings: string[] = [];
  const done = followConfig(
    rest,
    namespace,
    {
      config: (config) => formats.push(config['artifacts.taskrun.format']),
      trouble: (error) => troubles.push(error?.code),
      warning: (text) => warnings.push(text),
    },
    stop.signal,
  );
  t.after(async () => {
    stop.abort();
    await done;
    await rest.close();
  });
  const events = () => sandbox.objects.list('Event').map((event) => String(at(event, 'reason')));
  return { sandbox, formats, troubles, warnings, events };
}

test('a change of the ConfigMap is reported while it is followed, and its deletion leaves the defaults', async (t) => {
  const { sandbox, formats } = await followed(t);
  await until(() => formats.length === 1, 'the defaults');
  put(sandbox, { 'artifacts.taskrun.format': 'slsa/v1' });
  await until(() => formats.length === 2, 'the new format');
  sandbox.objects.delete('ConfigMap', namespace, 'chains-config');
  await until(() => formats.length === 3, 'the defaults again');
  assert.deepEqual(formats, ['tekton', 'slsa/v1', 'tekton']);
});

test('a bad ConfigMap gets a Warning Event, and the last good configuration stays', async (t) => {
  const { sandbox, formats, troubles, events } = await followed(t, { 'artifacts.taskrun.format': 'slsa/v1' });
  await until(() => formats.length === 1, 'the configuration');
  put(sandbox, { 'artifacts.taskrun.format': 'slsa/v9' });
  await until(() => events().length === 1, 'the Event');
  assert.deepEqual(events(), ['InvalidConfiguration']);
  const [event] = sandbox.objects.list('Event');
  assert.equal(at(event, 'involvedObject', 'name') ?? at(event, 'regarding', 'name'), 'chains-config');
  assert.match(String(at(event, 'message') ?? at(event, 'note')), /artifacts\.taskrun\.format is "slsa\/v9"/);
  put(sandbox, { 'artifacts.taskrun.format': 'in-toto' });
  await until(() => troubles.length === 3, 'the fixed configuration');
  assert.deepEqual(troubles, [undefined, 'CONFIG_INVALID', undefined]);
  assert.deepEqual(formats, ['slsa/v1', 'in-toto']);
});

test('a key that is not known is a warning and an Event', async (t) => {
  const { formats, warnings, events } = await followed(t, { 'artifacts.taskrun.formt': 'slsa/v1' });
  await until(() => events().length === 1, 'the Event');
  assert.deepEqual(events(), ['UnknownKey']);
  assert.match(warnings.join(), /did you mean artifacts\.taskrun\.format\?/);
  assert.deepEqual(formats, ['tekton']);
});

test('a deletion that no watch could tell is found', async (t) => {
  const { sandbox, formats } = await followed(t, { 'artifacts.taskrun.format': 'slsa/v1' });
  await until(() => formats.length === 1, 'the configuration');
  const open = sandbox.faults.add({ kind: 'status', code: 503 });
  sandbox.faults.dropWatches();
  sandbox.objects.delete('ConfigMap', namespace, 'chains-config');
  sandbox.faults.compact();
  await until(() => sandbox.faults.struck.status > 0, 'a refused call');
  open();
  await until(() => formats.length === 2, 'the defaults');
  assert.deepEqual(formats, ['slsa/v1', 'tekton']);
});
