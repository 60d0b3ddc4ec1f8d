import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parseAllDocuments, stringify } from 'yaml';
import { panels } from '../../scripts/dashboard.ts';
import { at } from '../../src/json.ts';
import { tool } from './tools.ts';

const run = promisify(execFile);
const folder = fileURLToPath(new URL('../../deploy/monitoring', import.meta.url));

test('promtool takes the rules', async () => {
  const { stdout } = await run(tool('promtool'), [
    'check',
    'rules',
    '--lint=all',
    '--lint-fatal',
    join(folder, 'rules.yaml'),
  ]);
  assert.match(stdout, /SUCCESS: [6-9] rules found/);
});

test('each alert fires when it should and only then, by unit tests of promtool', async () => {
  const tests = fileURLToPath(new URL('prometheus/rules.test.yaml', import.meta.url));
  const { stdout } = await run(tool('promtool'), ['test', 'rules', tests]);
  assert.match(stdout, /SUCCESS/);
});

test('promtool takes every expression of the dashboard', async (context) => {
  const temporary = await mkdtemp(join(tmpdir(), 'chains-test-'));
  context.after(() => rm(temporary, { recursive: true }));
  // Grafana puts its variables in before it asks.
  const filled = (expr: string) => expr.replaceAll('$__rate_interval', '5m').replaceAll('$job', '.+');
  const rules = panels
    .flatMap(({ series }) => series)
    .map(({ expr }, index) => ({ record: `panel:series${index}`, expr: filled(expr) }));
  const file = join(temporary, 'panels.yaml');
  await writeFile(file, stringify({ groups: [{ name: 'panels', rules }] }));
  const { stdout } = await run(tool('promtool'), ['check', 'rules', file]);
  assert.ok(stdout.includes(`SUCCESS: ${rules.length} rules found`), stdout);
});

test('kubectl makes the manifests of deploy/monitoring', async () => {
  const { stdout } = await run(tool('kubectl'), ['kustomize', folder]);
  const made = parseAllDocuments(stdout).map((document): unknown => document.toJS());
  assert.deepEqual(
    made
      .map((object) => `${String(at(object, 'kind'))} ${String(at(object, 'metadata', 'name'))}`)
      .toSorted(),
    ['ConfigMap tekton-chains-dashboard', 'PrometheusRule tekton-chains', 'ServiceMonitor tekton-chains'],
  );
});
