import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { parseConfig } from '../../src/config/parse.ts';
import { Awaited } from '../../src/controller/family.ts';
import { ProgressKept } from '../../src/controller/progress-kept.ts';
import { reconcile } from '../../src/controller/reconcile.ts';
import type { Verdict } from '../../src/controller/work.ts';
import { createDispatchers } from '../../src/kubernetes/dispatcher.ts';
import { Rest } from '../../src/kubernetes/rest.ts';
import { at, type JsonObject } from '../../src/json.ts';
import { ChainsError } from '../../src/errors.ts';
import type { Outcome } from '../../src/model/outcome.ts';
import type { Run } from '../../src/model/run.ts';
import { openPipeline, type Pipeline } from '../../src/pipeline.ts';
import { openLog } from '../../src/telemetry/logs.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';
import { secretsWith } from '../sign/keys.ts';
import { recordTraces } from '../telemetry/recorded-spans.ts';
import { done, runOf } from './runs.ts';

/** An API server that takes every apply and remembers it, or never answers. */
class Applies extends Rest {
  readonly all: JsonObject[] = [];
  answers = true;

  constructor() {
    const tls = { ca: undefined, cert: undefined, key: undefined, servername: undefined };
    super({
      ...{ server: 'http://127.0.0.1:1', namespace: 'ci', authorization: async () => undefined },
      ...{ renew: async () => false, close: async () => {} },
      dispatchers: createDispatchers({ ...tls, rejectUnauthorized: true }, undefined),
    });
  }

  override apply(...[, , body]: Parameters<Rest['apply']>): Promise<JsonObject> {
    this.all.push(body);
    return this.answers ? Promise.resolve({ metadata: { resourceVersion: '8' } }) : new Promise(() => {});
  }
}

const { config } = parseConfig({});
const key = 'TaskRun ci/build';
const run = runOf({ status: done });

function outcomeOf(failures: Outcome['failures']): Outcome {
  const progress = { config, uid: run.uid, entries: new Map() };
  const none = { annotations: {}, signed: [], places: new Map(), off: [], problems: [] };
  return { ...none, failures, progress, backends: { unavailable: [], answered: [] } };
}

/** A try on a clock of its own, in a pipeline that does as the test says. */
async function tryOf(
  context: TestContext,
  process: Pipeline['process'],
  { value = run, failures = 1 }: { readonly value?: Run; readonly failures?: number } = {},
) {
  const [logged, traces] = [new Array<string>(), recordTraces()];
  const log = await openLog({ write: (line) => logged.push(line) });
  context.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: Date.now() });
  const [rest, progress, cut, stop] = [
    new Applies(),
    new ProgressKept(),
    new AbortController(),
    new AbortController(),
  ];
  const pipeline = { ...openPipeline({ config, secrets: secretsWith({}) }), process };
  const resource = { group: 'tekton.dev', version: 'v1', plural: 'taskruns' };
  const family = { awaited: new Awaited(), isInHand: () => false };
  const work = { key, value, failures, failingSince: Date.now(), signal: cut.signal };
  let verdict: Verdict | undefined;
  const trying = reconcile(
    work,
    { namespace: 'ci', name: 'build' },
    {
      ...{
        rest,
        resource,
        pipeline,
        family,
        progress,
        log,
        metrics: new Metrics(),
        isOurs: () => true,
        traces,
      },
      signal: stop.signal,
    },
  ).then((given) => {
    verdict = given;
  });
  const pass = async (milliseconds: number): Promise<void> => {
    for (let index = 0; index < 5; index += 1) await turn();
    context.mock.timers.tick(milliseconds);
    for (let index = 0; index < 5; index += 1) await turn();
  };
  const message = () => String(at(rest.all.at(-1), 'metadata', 'annotations', 'chains.tekton.dev/message'));
  return { rest, progress, cut, stop, trying, pass, message, logged, traces, verdict: () => verdict };
}

/** What the pipeline does whose stores heed the signal. */
const heeding: Pipeline['process'] = (given, { signal } = {}) =>
  new Promise((resolve) => {
    signal?.addEventListener('abort', () => {
      const error = signal.reason instanceof ChainsError ? signal.reason : new ChainsError('UNEXPECTED', '?');
      const artifact = { kind: 'taskrun', run: given, key: 'k', fullKey: 'k', evidence: error } as const;
      resolve(outcomeOf([{ artifact, stage: 'storage', error }]));
    });
  });

describe('a try', () => {
  it('ends at limits.try-timeout: the run says so, and how far it came is kept', async (context) => {
    const { rest, progress, pass, message, verdict } = await tryOf(context, heeding);
    await pass(119_000);
    assert.equal(verdict(), undefined);
    await pass(1_000);
    assert.match(message(), /taskrun k: the try was ended after 120 s: limits\.try-timeout allows no more/);
    assert.equal(at(rest.all[0], 'metadata', 'annotations', 'chains.tekton.dev/retries'), '2');
    const given = verdict();
    assert.ok(given?.finished === false && given.failed);
    assert.ok(progress.of(key) !== undefined);
  });

  it('that fails as the run says already writes nothing, and every tenth how many there were', async (context) => {
    const error = new ChainsError('STORE_UNAVAILABLE', 'away');
    const artifact = { kind: 'taskrun', run, key: 'k', fullKey: 'k', evidence: error } as const;
    const failing = async () => outcomeOf([{ artifact, stage: 'storage', error }]);
    const said = { 'chains.tekton.dev/message': 'taskrun k: away', 'chains.tekton.dev/retries': '1' };
    for (const [annotations, failures, writes] of [
      [{}, 4, 1],
      [said, 4, 0],
      [{ ...said, 'chains.tekton.dev/message': 'another reason' }, 4, 1],
      [said, 10, 1],
    ] as const) {
      const value = { ...run, annotations };
      const { rest, trying, verdict } = await tryOf(context, failing, { value, failures });
      await trying;
      assert.equal(rest.all.length, writes, JSON.stringify([annotations, failures]));
      assert.partialDeepStrictEqual(verdict(), { finished: false, failed: true, stale: writes === 1 });
      context.mock.timers.reset();
    }
  });

  it('ends though the pipeline heeds no signal, and what that brings later is dropped', async (context) => {
    const late = Promise.withResolvers<Outcome>();
    const { rest, progress, pass, verdict } = await tryOf(context, () => late.promise);
    await pass(120_000);
    assert.equal(verdict(), undefined);
    await pass(30_000);
    const given = verdict();
    assert.ok(given?.finished === false && given.failed && given.stale);
    late.resolve(outcomeOf([]));
    await pass(60_000);
    assert.deepEqual(rest.all, [], 'no mark for an old try');
    assert.equal(progress.of(key), undefined);
  });

  it('ends though the API server never answers', async (context) => {
    const { rest, pass, verdict } = await tryOf(context, async () => outcomeOf([]));
    rest.answers = false;
    await pass(150_000);
    await pass(150_000);
    const given = verdict();
    assert.ok(given?.finished === false && given.failed && given.stale);
    assert.equal(rest.all.length, 1);
  });

  it('ends early when others need its place, and says so', async (context) => {
    const { cut, pass, message, verdict } = await tryOf(context, heeding);
    await pass(9_000);
    cut.abort();
    await pass(0);
    assert.match(message(), /ended after 9 s: it was slow, and runs of other namespaces were waiting/);
    const given = verdict();
    assert.ok(given?.finished === false && given.failed);
  });

  it('is a span that says how it ended, and the log has its trace', async (context) => {
    const ending = await tryOf(context, async () => outcomeOf([]));
    await ending.trying;
    assert.deepEqual(ending.traces.ended, [
      { path: 'sign TaskRun/mark' },
      { path: 'sign TaskRun', outcome: 'signed' },
    ]);
    assert.match(ending.logged.at(-1) ?? '', /"trace_id":"(ab){16}".*"message":"signed"/);
  });

  it('that the pipeline holds up is a span with the outcome retry and the code', async (context) => {
    const { traces, logged, pass } = await tryOf(context, () => new Promise(() => {}));
    await pass(120_000);
    await pass(30_000);
    assert.deepEqual(traces.ended, [{ path: 'sign TaskRun', outcome: 'retry', error: 'TRY_ENDED' }]);
    assert.match(logged.at(-1) ?? '', /"trace_id":"(ab){16}"/);
  });

  it('that is stopped is a span that says so', async (context) => {
    const { traces, stop, trying } = await tryOf(context, heeding);
    await turn();
    stop.abort(new Error('stopping'));
    await trying;
    assert.deepEqual(traces.ended, [{ path: 'sign TaskRun', outcome: 'stopped' }]);
  });

  it('writes nothing when the controller gives up on it, and leaves no timer', async (context) => {
    const { rest, stop, trying, verdict } = await tryOf(context, heeding);
    const cleared = context.mock.method(globalThis, 'clearTimeout');
    await turn();
    stop.abort(new Error('stopping'));
    await trying;
    assert.deepEqual(verdict(), { finished: true, forNow: true });
    assert.deepEqual(rest.all, []);
    assert.ok(cleared.mock.callCount() > 0);
  });
});
