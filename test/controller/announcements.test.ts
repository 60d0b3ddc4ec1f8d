import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../src/config/parse.ts';
import { decisionEvent, endEvent } from '../../src/controller/announcements.ts';
import type { End } from '../../src/decide/marking.ts';
import { decide } from '../../src/decide/policy.ts';
import { ChainsError, type ErrorDetails } from '../../src/errors.ts';
import type { Failure, Outcome } from '../../src/model/outcome.ts';
import { done, type RunParts, running, runOf } from './runs.ts';

const run = runOf({ status: done });
const { config } = parseConfig({});
const onTheRun = new Map([['tekton', ['annotations of the run']]]);
const elsewhere = new Map([
  ...onTheRun,
  ['oci', ['r.example/app:sha256-0a.att', 'r.example/b:sha256-0b.att']],
]);

function outcome(parts: Partial<Outcome> = {}): Outcome {
  const progress = { config, uid: run.uid, entries: new Map() };
  const none = { annotations: {}, off: [], failures: [], problems: [], places: new Map(), progress };
  return { ...none, backends: { unavailable: [], answered: [] }, signed: ['taskrun'], ...parts };
}

function ended(end: Partial<End>, parts?: Partial<Outcome>, data: Readonly<Record<string, string>> = {}) {
  const whole: End = { state: 'true', message: '', failures: 0, annotations: {}, ...end };
  return endEvent(run, whole, outcome(parts), parseConfig(data).config);
}

test('Signed says where payloads and signatures are, each store with its places', () => {
  assert.deepEqual(ended({}, { places: elsewhere }), {
    type: 'Normal',
    reason: 'Signed',
    message: 'tekton: annotations of the run; oci: r.example/app:sha256-0a.att, r.example/b:sha256-0b.att',
  });
});

test('by default Signed is not said of what is on the run alone; true says it always, false never', () => {
  assert.equal(ended({}, { places: onTheRun }), undefined);
  assert.equal(ended({}, { places: onTheRun }, { 'events.signed': 'true' })?.reason, 'Signed');
  assert.equal(ended({}, { places: elsewhere }, { 'events.signed': 'false' }), undefined);
});

test('a run of which everything is turned off gets the Event Skipped, only when asked for', () => {
  const end = { message: 'artifacts.taskrun.signer is none' };
  assert.equal(ended(end, { signed: [] }), undefined);
  assert.deepEqual(ended(end, { signed: [] }, { 'events.skipped': 'true' }), {
    type: 'Normal',
    reason: 'Skipped',
    message: 'artifacts.taskrun.signer is none',
  });
});

function failedWith(details: ErrorDetails): Failure {
  const artifact = { kind: 'taskrun', key: 'k', fullKey: 'K', run } as const;
  const evidence = new ChainsError('RUN_UNREADABLE', 'not read here');
  const error = new ChainsError('PAYLOAD_TOO_LARGE', 'it does not fit', details);
  return { artifact: { ...artifact, evidence }, stage: 'storage', error };
}

test('SigningFailed says why, how often it was tried, what to mend, and how the run is signed then', () => {
  const failures = [failedWith({})];
  const event = ended({ state: 'failed', message: 'taskrun k: it does not fit', failures: 2 }, { failures });
  assert.equal(
    event?.message,
    'taskrun k: it does not fit (tried 3 times). Choose another store for the artifact that the message names. ' +
      'To have it signed then: kubectl annotate taskrun build -n ci chains.tekton.dev/signed-; ' +
      'kubectl label taskrun build -n ci chains.tekton.dev/signed-',
  );
  const hinted = ended({ state: 'failed', message: 'why' }, { failures: [failedWith({ hint: 'Do this.' })] });
  assert.match(hinted?.message ?? '', /^why\. Do this\. To have it signed/);
});

test('however long the reason is, what to do next fits into the Event', () => {
  const { message = '' } = ended({ state: 'failed', message: 'x'.repeat(1_024) }) ?? {};
  assert.match(message, /x….*chains\.tekton\.dev\/signed-$/);
  assert.ok(Buffer.byteLength(message) <= 1_024);
});

const held = ['chains.tekton.dev/taskrun'];
const deletedAt = '2026-01-01T10:00:00Z';
const decisions: readonly (readonly [
  what: string,
  run: RunParts,
  asked: string,
  event: string | undefined,
])[] = [
  ['a run of somebody else', { managedBy: 'else', status: done }, 'false', undefined],
  ['a run of somebody else, when asked for', { managedBy: 'else', status: done }, 'true', 'Skipped'],
  ['a run of somebody else at work', { managedBy: 'else', status: running }, 'true', undefined],
  ['a run at work', { status: running }, 'true', undefined],
  ['a run that is deleted at work', { deletedAt, finalizers: held }, 'false', 'Held'],
  ['a run that is deleted at work and was never held', { deletedAt }, 'true', undefined],
  ['a run without a status that can be read', { status: 'gone' }, 'false', 'Unreadable'],
  ['a run that will be signed', { status: done }, 'true', undefined],
];

for (const [what, parts, asked, event] of decisions) {
  test(`the Event of ${what} is ${event ?? 'none'}`, () => {
    const circumstances = { managedBy: [], deletionGrace: 60_000, now: new Date('2026-01-01T10:00:30Z') };
    const decision = decide(runOf(parts), circumstances);
    assert.equal(decisionEvent(decision, parseConfig({ 'events.skipped': asked }).config)?.reason, event);
  });
}

test('a run that is released unsigned after its grace gets the Event NotSigned', () => {
  const circumstances = { managedBy: [], deletionGrace: 0, now: new Date('2026-01-01T10:00:30Z') };
  const event = decisionEvent(decide(runOf({ deletedAt, finalizers: held }), circumstances), config);
  assert.deepEqual([event?.type, event?.reason], ['Warning', 'NotSigned']);
});
