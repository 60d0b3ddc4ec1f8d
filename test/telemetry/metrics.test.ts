import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metrics } from '../../src/telemetry/metrics.ts';

async function lines(metrics: Metrics): Promise<readonly string[]> {
  return (await metrics.page()).body.split('\n');
}

test('the counters of behaviour.md are there from the start, at 0', async () => {
  const page = await lines(new Metrics());
  for (const kind of ['taskrun', 'pipelinerun']) {
    for (const what of ['sign_created', 'payload_uploaded', 'payload_stored', 'marked_signed']) {
      assert(page.includes(`watcher_${kind}_${what}_total 0`), `${kind} ${what}`);
    }
    for (const stage of ['payload_creation', 'marshal_payload', 'signing', 'storage', 'tlog']) {
      assert(
        page.includes(`watcher_${kind}_signing_failures_total{error_type="${stage}"} 0`),
        `${kind} ${stage}`,
      );
    }
  }
});

test('what happens to a run is counted for its kind', async () => {
  const metrics = new Metrics();
  metrics.signed('TaskRun');
  metrics.uploaded('TaskRun');
  metrics.stored('TaskRun');
  metrics.stored('TaskRun');
  metrics.marked('TaskRun', 3);
  metrics.marked('PipelineRun', undefined);
  metrics.failed('PipelineRun', 'storage');
  const page = await lines(metrics);
  for (const line of [
    'watcher_taskrun_sign_created_total 1',
    'watcher_taskrun_payload_uploaded_total 1',
    'watcher_taskrun_payload_stored_total 2',
    'watcher_taskrun_marked_signed_total 1',
    'watcher_pipelinerun_marked_signed_total 1',
    'watcher_pipelinerun_signing_failures_total{error_type="storage"} 1',
    'chains_signing_delay_seconds_bucket{le="5",kind="TaskRun"} 1',
    'chains_signing_delay_seconds_sum{kind="TaskRun"} 3',
  ]) {
    assert(page.includes(line), line);
  }
  assert(!page.some((line) => line.startsWith('chains_signing_delay_seconds_count{kind="PipelineRun"}')));
});

test('the queue is asked when the page is read', async () => {
  const metrics = new Metrics();
  let depth = 1;
  metrics.queue(() => ({ depth, oldestSeconds: 7, waiting: 3 }));
  depth = 5;
  const page = await lines(metrics);
  assert(page.includes('chains_queue_depth 5'));
  assert(page.includes('chains_queue_oldest_seconds 7'));
  assert(page.includes('chains_runs_waiting 3'));
});

test('config, back ends, watches and API calls have their state shown', async () => {
  const metrics = new Metrics();
  metrics.configTaken(new Date(5_000));
  metrics.configValid(false);
  metrics.backend('artifacts.oci.storage', 'gcs', true);
  metrics.forgetBackends();
  metrics.backend('artifacts.oci.storage', 'oci', false);
  metrics.watching('taskruns', true);
  metrics.apiCall({ verb: 'apply', resource: 'taskruns', status: 409, milliseconds: 20 });
  const page = await lines(metrics);
  for (const line of [
    'chains_config_last_change_timestamp_seconds 5',
    'chains_config_valid 0',
    'chains_backend_ready{key="artifacts.oci.storage",backend="oci"} 0',
    'chains_watch_up{resource="taskruns"} 1',
    'chains_api_calls_total{verb="apply",resource="taskruns",status="409"} 1',
    'chains_api_call_duration_seconds_bucket{le="0.025",verb="apply",resource="taskruns"} 1',
  ]) {
    assert(page.includes(line), line);
  }
  assert(!page.some((line) => line.includes('backend="gcs"')));
});

test('two sets of metrics in one process do not meet', async () => {
  new Metrics().signed('TaskRun');
  assert((await lines(new Metrics())).includes('watcher_taskrun_sign_created_total 0'));
});

test('the process shows its memory and CPU', async () => {
  const page = (await new Metrics().page()).body;
  for (const name of ['process_resident_memory_bytes', 'process_cpu_seconds_total'])
    assert(page.includes(name), name);
});
