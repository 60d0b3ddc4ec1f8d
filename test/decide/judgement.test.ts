import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseConfig } from '../../src/config/parse.ts';
import { type JudgedBy, judge } from '../../src/decide/judgement.ts';
import { ChainsError, type ErrorCode } from '../../src/errors.ts';
import type { Failure, Outcome } from '../../src/model/outcome.ts';
import type { Run } from '../../src/model/run.ts';
import { done, runOf } from '../controller/runs.ts';

const { config } = parseConfig({ 'signing.retry-deadline': '1h', 'signing.deletion-grace': '1m' });
const now = Date.parse('2026-01-01T12:00:00Z');
const run = runOf({ status: done });

function failure(code: ErrorCode, message: string, retryAfter?: number): Failure {
  const artifact = {
    kind: 'taskrun',
    key: 'taskrun-uid-1',
    fullKey: 'tekton.dev-v1-TaskRun-uid-1',
    run,
    evidence: new ChainsError('RUN_UNREADABLE', 'not read here'),
  } as const;
  const error = new ChainsError(code, message, retryAfter === undefined ? {} : { retryAfter });
  return { artifact, stage: 'signing', error };
}

const progress = { config, uid: run.uid, entries: new Map() };

function judged(parts: Partial<Outcome>, by: Partial<JudgedBy> = {}, of: Run = run) {
  const outcome: Outcome = {
    annotations: {},
    signed: [],
    places: new Map(),
    off: [],
    failures: [],
    problems: [],
    backends: { unavailable: [], answered: [] },
    progress,
    ...parts,
  };
  return judge(of, outcome, { failingSince: undefined, config, now, ...by });
}

describe('an outcome', () => {
  it('without failures ends the run as signed', () => {
    assert.deepEqual(judged({}).end, { state: 'true', message: '' });
  });

  it('with near misses ends it as signed, and says what was left out', () => {
    const problems = [{ at: 'status.results[0]', message: 'is not a digest' }];
    assert.deepEqual(judged({ problems }).end, {
      state: 'true',
      message: 'status.results[0]: is not a digest',
    });
  });

  it('in which everything is turned off ends it as signed, and says so', () => {
    assert.match(judged({ off: ['artifacts.taskrun.signer is none'] }).end?.message ?? '', /signer is none/);
  });

  it('with a failure that may be temporary is tried again, and says why', () => {
    const { end, message } = judged({ failures: [failure('KEY_INVALID', 'x509.pem is missing')] });
    assert.equal(end, undefined);
    assert.equal(message, 'taskrun taskrun-uid-1: x509.pem is missing');
  });

  it('with a failure that is permanent ends it as failed at once', () => {
    const { end } = judged({ failures: [failure('RUN_UNREADABLE', 'status.results is not a list')] });
    assert.equal(end?.state, 'failed');
    assert.match(end?.message ?? '', /status\.results is not a list/);
  });

  it('with one failure that may be temporary and one that is permanent is tried again', () => {
    const failures = [failure('PAYLOAD_TOO_LARGE', 'too large'), failure('UNEXPECTED', 'broke')];
    assert.equal(judged({ failures }).end, undefined);
  });

  it('that failed for longer than signing.retry-deadline ends the run as failed', () => {
    const failures = [failure('KEY_INVALID', 'x509.pem is missing')];
    assert.equal(judged({ failures }, { failingSince: now - 59 * 60_000 }).end, undefined);
    assert.equal(judged({ failures }, { failingSince: now - 60 * 60_000 }).end?.state, 'failed');
  });

  it('of a run that is being deleted gets only until the end of its grace', () => {
    const failures = [failure('KEY_INVALID', 'x509.pem is missing')];
    const deleted = runOf({ status: done, deletedAt: '2026-01-01T11:59:30Z' });
    assert.equal(judged({ failures }, {}, deleted).within, 30_000);
    assert.equal(judged({ failures }, { now: now + 30_000 }, deleted).end?.state, 'failed');
  });

  it('waits as long as the server that asks for the longest wait', () => {
    const failures = [failure('UNEXPECTED', 'busy', 3_000), failure('UNEXPECTED', 'busy', 9_000)];
    assert.equal(judged({ failures }).again, 9_000);
  });

  it('has a message of one bounded line', () => {
    const failures = [failure('UNEXPECTED', `first\nsecond ${'👩'.repeat(2_000)}`)];
    const { message } = judged({ failures });
    assert.ok(message.length <= 1_024 && message.isWellFormed() && !message.includes('\n'));
    assert.match(message, /…$/);
  });
});
