import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { suite, test } from 'node:test';
import { parse } from 'yaml';
import { panels } from '../../scripts/dashboard.ts';
import { at, isJsonObject, type Json, listAt } from '../../src/json.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';

const read = (name: string) => readFile(new URL(`../../deploy/monitoring/${name}`, import.meta.url), 'utf8');

/** The labels of each metric on a page that shows all of them. */
async function labelsByMetric(): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const metrics = new Metrics();
  metrics.members(() => 1);
  metrics.queue(() => ({ depth: 0, oldestSeconds: 0, waiting: 0 }));
  metrics.marked('TaskRun', 1);
  metrics.sigstore({ service: 'fulcio', error: undefined, validUntil: new Date() });
  metrics.sigstore({ service: 'fulcio', error: 'no answer' });
  metrics.backend('artifacts.oci.storage', 'oci', true);
  metrics.watching('taskruns', true);
  metrics.apiCall({ verb: 'GET', resource: 'taskruns', status: 200, milliseconds: 1 });
  const { body } = await metrics.page();
  const labels = new Map<string, Set<string>>();
  for (const [, name = '', list = ''] of body.matchAll(/^([a-z]\w+)(?:\{(.*)\})? /gm)) {
    const known = labels.get(name) ?? new Set();
    for (const [, label = ''] of list.matchAll(/(\w+)="/g)) known.add(label);
    labels.set(name, known);
  }
  return labels;
}

const shown = await labelsByMetric();

/** Labels that Prometheus adds. */
const added = ['job', 'instance'];

/** What an expression, or the text for its results, names that no metric in it has. */
function unknownIn(expression: string, texts: string = ''): readonly string[] {
  const names = [...expression.matchAll(/\b(?:chains|watcher|process|nodejs)_\w+/g)].map(([name]) => name);
  const labels = new Set([...added, ...names.flatMap((name) => [...(shown.get(name) ?? [])])]);
  const grouped = [...expression.matchAll(/by \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/, */));
  const matched = [...expression.matchAll(/[{,]\s*(\w+)=/g)].map(([, label = '']) => label);
  const told = [...texts.matchAll(/\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}/g)].map(([, label = '']) => label);
  return [
    ...(names.length === 0 ? ['no metric'] : []),
    ...names.filter((name) => !shown.has(name)),
    ...[...grouped, ...matched, ...told].filter((label) => !labels.has(label)),
  ];
}

test('an expression with an unknown metric or label is found', () => {
  assert.deepEqual(unknownIn('sum by (le, sort) (rate(chains_gone_total[5m]))'), [
    'chains_gone_total',
    'le',
    'sort',
  ]);
  assert.deepEqual(unknownIn('chains_backend_ready{jib="x"}', '{{key}} {{ $labels.resource }}'), [
    'jib',
    'resource',
  ]);
});

suite('deploy/monitoring', () => {
  test('the alerts name metrics and labels that there are', async () => {
    const rules = listAt(parse(await read('rules.yaml')), 'groups').flatMap((group) =>
      listAt(group, 'rules'),
    );
    assert.ok(rules.length >= 6);
    for (const rule of rules) {
      const texts = JSON.stringify(at(rule, 'annotations'));
      assert.deepEqual(unknownIn(String(at(rule, 'expr')), texts), [], String(at(rule, 'alert')));
    }
  });

  test('the panels name metrics and labels that there are', () => {
    for (const { title, series } of panels)
      for (const { expr, legend } of series) assert.deepEqual(unknownIn(expr, legend), [], title);
  });

  test('the rules of the operator are those of the rules file', async () => {
    const [plain, resource] = [parse(await read('rules.yaml')), parse(await read('prometheusrule.yaml'))];
    assert.deepEqual(at(resource, 'spec', 'groups'), at(plain, 'groups'));
  });

  test('the dashboard has each panel once, side by side, and asks the Prometheus that was chosen', async () => {
    const dashboard: Json = JSON.parse(await read('dashboard.json'));
    const shownPanels = listAt(dashboard, 'panels');
    assert.equal(shownPanels.length, panels.length);
    const places = shownPanels.map((panel) => JSON.stringify(at(panel, 'gridPos')));
    assert.equal(new Set(places).size, panels.length);
    for (const panel of shownPanels.filter(isJsonObject))
      assert.equal(at(panel, 'datasource', 'uid'), '${datasource}');
  });

  test('the metrics that are collected are those of the Service in deploy/', async () => {
    const monitor: Json = parse(await read('servicemonitor.yaml'));
    const documents = (await read('../base/controller.yaml'))
      .split(/^---$/m)
      .map((text): Json => parse(text));
    const service = documents.find((document) => at(document, 'kind') === 'Service');
    assert.deepEqual(at(monitor, 'spec', 'selector', 'matchLabels'), at(service, 'metadata', 'labels'));
    assert.equal(
      at(listAt(monitor, 'spec', 'endpoints')[0], 'port'),
      at(listAt(service, 'spec', 'ports')[0], 'name'),
    );
    assert.equal(at(monitor, 'metadata', 'namespace'), at(service, 'metadata', 'namespace'));
  });

  test('the alerts that the documentation names are there', async () => {
    const rules = await read('rules.yaml');
    const page = await read('../../docs/operating.md');
    const named = [...page.matchAll(/`(Chains[A-Z]\w+)`/g)].map(([, name = '']) => name);
    assert.ok(named.length >= 6);
    for (const name of named) assert.ok(rules.includes(`alert: ${name}\n`), name);
  });
});
