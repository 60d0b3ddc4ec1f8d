// Makes deploy/monitoring/dashboard.json from the table of its panels.

/** A series: what is asked of Prometheus, and how it is named. */
interface Series {
  readonly expr: string;
  readonly legend: string;
}

/** A panel: its kind in Grafana, its unit, and what it shows. */
interface Panel {
  readonly title: string;
  readonly doc: string;
  readonly type: 'timeseries' | 'state-timeline';
  readonly unit: string;
  readonly series: readonly Series[];
}

const rate = (metric: string) => `rate(${metric}{job=~"$job"}[$__rate_interval])`;
const gauge = (metric: string) => `${metric}{job=~"$job"}`;
const kinds = ['TaskRun', 'PipelineRun'] as const;

/** One series for each kind, of metrics that have the kind in their name. */
const ofKinds = (expr: (metric: string) => string, what: string, legend: string): readonly Series[] =>
  kinds.map((kind) => ({
    expr: expr(`watcher_${kind.toLowerCase()}_${what}`),
    legend: `${kind}${legend}`,
  }));

/** What the dashboard shows, two panels in a row. */
export const panels: readonly Panel[] = [
  {
    title: 'Runs signed',
    doc: 'Runs that were marked as signed, a minute',
    type: 'timeseries',
    unit: 'cpm',
    series: ofKinds((metric) => `60 * sum(${rate(metric)})`, 'marked_signed_total', ''),
  },
  {
    title: 'Delay',
    doc: 'From the completion of a run until it was marked: of 50, 95 and 99 % of the runs',
    type: 'timeseries',
    unit: 's',
    series: [0.5, 0.95, 0.99].map((share) => ({
      expr: `histogram_quantile(${share}, sum by (le) (${rate('chains_signing_delay_seconds_bucket')}))`,
      legend: `${share * 100} %`,
    })),
  },
  {
    title: 'Failures',
    doc: 'Artifacts that could not be signed or stored, a minute, by stage',
    type: 'timeseries',
    unit: 'cpm',
    series: ofKinds(
      (metric) => `60 * sum by (error_type) (${rate(metric)})`,
      'signing_failures_total',
      ', {{error_type}}',
    ),
  },
  {
    title: 'Queue',
    doc: 'Runs in the queue, and those of them that wait for another run or for their next try',
    type: 'timeseries',
    unit: 'short',
    series: [
      { expr: `sum(${gauge('chains_queue_depth')})`, legend: 'in the queue' },
      { expr: `sum(${gauge('chains_runs_waiting')})`, legend: 'waiting' },
    ],
  },
  {
    title: 'Oldest in the queue',
    doc: 'How long the run has been there that came first, in each replica',
    type: 'timeseries',
    unit: 's',
    series: [{ expr: gauge('chains_queue_oldest_seconds'), legend: '{{instance}}' }],
  },
  {
    title: 'Replicas',
    doc: 'Replicas that Prometheus sees, and how many share the runs as each of them sees it: all lines should be one',
    type: 'timeseries',
    unit: 'short',
    series: [
      { expr: `count(${gauge('chains_members')})`, legend: 'seen by Prometheus' },
      { expr: gauge('chains_members'), legend: '{{instance}}' },
    ],
  },
  {
    title: 'Calls to the API server',
    doc: 'A second, by HTTP status; `error` is a call without an answer',
    type: 'timeseries',
    unit: 'reqps',
    series: [{ expr: `sum by (status) (${rate('chains_api_calls_total')})`, legend: '{{status}}' }],
  },
  {
    title: 'Time of calls to the API server',
    doc: 'Of 95 % of the calls, by verb',
    type: 'timeseries',
    unit: 's',
    series: [
      {
        expr: `histogram_quantile(0.95, sum by (le, verb) (${rate('chains_api_call_duration_seconds_bucket')}))`,
        legend: '{{verb}}',
      },
    ],
  },
  {
    title: 'Back ends',
    doc: 'Signers and stores by the key that names them: up while every replica has it open',
    type: 'state-timeline',
    unit: 'short',
    series: [
      { expr: `min by (key, backend) (${gauge('chains_backend_ready')})`, legend: '{{key}}: {{backend}}' },
    ],
  },
  {
    title: 'Configuration and watches',
    doc: 'Down while chains-config has a value that is not allowed, or a resource is not watched',
    type: 'state-timeline',
    unit: 'short',
    series: [
      { expr: `min(${gauge('chains_config_valid')})`, legend: 'chains-config' },
      { expr: `min by (resource) (${gauge('chains_watch_up')})`, legend: '{{resource}}' },
    ],
  },
  {
    title: 'Outages of Sigstore',
    doc: 'Questions that a service did not answer as it should, a minute',
    type: 'timeseries',
    unit: 'cpm',
    series: [
      { expr: `60 * sum by (service) (${rate('chains_sigstore_failures_total')})`, legend: '{{service}}' },
    ],
  },
  {
    title: 'Memory',
    doc: 'Resident memory of each replica, and what of it is V8’s heap in use',
    type: 'timeseries',
    unit: 'bytes',
    series: [
      { expr: gauge('process_resident_memory_bytes'), legend: '{{instance}}' },
      { expr: gauge('nodejs_heap_size_used_bytes'), legend: '{{instance}}, heap' },
    ],
  },
];

const source = { type: 'prometheus', uid: '${datasource}' };
const height = 8;

function panel({ title, doc, type, unit, series }: Panel, index: number): object {
  const upAndDown = {
    type: 'value',
    options: { 0: { text: 'down', color: 'red' }, 1: { text: 'up', color: 'green' } },
  };
  return {
    id: index + 1,
    type,
    title,
    description: doc,
    datasource: source,
    gridPos: { h: height, w: 12, x: 12 * (index % 2), y: height * Math.floor(index / 2) },
    fieldConfig: {
      defaults: { unit, min: 0, mappings: type === 'state-timeline' ? [upAndDown] : [] },
      overrides: [],
    },
    options:
      type === 'state-timeline' ? { showValue: 'never' } : { tooltip: { mode: 'multi', sort: 'desc' } },
    targets: series.map(({ expr, legend }, at) => ({
      ...{ refId: String.fromCodePoint(65 + at), datasource: source, expr, legendFormat: legend },
    })),
  };
}

/** The text of `deploy/monitoring/dashboard.json`. */
export function dashboard(): string {
  const variables = [
    { name: 'datasource', label: 'Prometheus', type: 'datasource', query: 'prometheus' },
    {
      ...{ name: 'job', label: 'Job', type: 'query', datasource: source, refresh: 2 },
      ...{ query: 'label_values(chains_config_valid, job)', includeAll: true, allValue: '.+' },
      current: { text: 'All', value: '$__all' },
    },
  ];
  const all = {
    uid: 'tekton-chains',
    title: 'Tekton Chains',
    description: 'Made by npm run docs: change scripts/dashboard.ts',
    tags: ['tekton'],
    schemaVersion: 41,
    version: 1,
    editable: true,
    refresh: '30s',
    time: { from: 'now-6h', to: 'now' },
    timezone: 'browser',
    templating: { list: variables },
    annotations: { list: [] },
    panels: panels.map(panel),
  };
  return `${JSON.stringify(all, undefined, 2)}\n`;
}
