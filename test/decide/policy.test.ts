import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decide } from '../../src/decide/policy.ts';
import { done, type RunParts, running, runOf } from '../controller/runs.ts';

const held = ['chains.tekton.dev/taskrun'];
const marked = { 'chains.tekton.dev/signed': 'true', 'chains.tekton.dev/signed-uid': 'uid-1' };
const deletedAt = '2026-01-01T10:00:00Z';
const circumstances = {
  managedBy: ['example.com/ours'],
  deletionGrace: 60_000,
  now: new Date('2026-01-01T10:00:30Z'),
};

const examples: readonly (readonly [what: string, run: RunParts, action: string, reason: RegExp])[] = [
  ['a run without a status', {}, 'hold', /not finished/],
  ['a run at work', { status: running }, 'hold', /not finished/],
  ['a run at work that is held', { status: running, finalizers: held }, 'wait', /not finished/],
  [
    'a run at work that is held by the old finalizer too',
    { status: running, finalizers: [...held, 'chains.tekton.dev'] },
    'hold',
    /not finished/,
  ],
  ['a done run', { status: done }, 'sign', /done and not signed/],
  ['a done run that is held', { status: done, finalizers: held }, 'sign', /done and not signed/],
  ['a marked run', { status: done, annotations: marked }, 'skip', /already marked signed: true/],
  [
    'a marked run that is still held',
    { status: done, annotations: marked, finalizers: held },
    'release',
    /already marked/,
  ],
  [
    'a run with the mark of another run',
    { status: done, annotations: { ...marked, 'chains.tekton.dev/signed-uid': 'uid-0' } },
    'sign',
    /not signed yet/,
  ],
  [
    'a done run with a mark for no uid, as another Chains writes it',
    { status: done, annotations: { 'chains.tekton.dev/signed': 'failed' } },
    'skip',
    /already marked signed: failed/,
  ],
  [
    'a run at work with a mark for no uid, which it can only have inherited',
    { status: running, annotations: { 'chains.tekton.dev/signed': 'true' } },
    'hold',
    /not finished/,
  ],
  ['an unknown mark', { status: done, annotations: { 'chains.tekton.dev/signed': 'yes' } }, 'sign', /done/],
  [
    'a run that another controller manages',
    { status: done, managedBy: 'example.com/other' },
    'skip',
    /"example.com\/other", which filter.managed-by/,
  ],
  [
    'a run that went to another controller while held',
    { status: done, managedBy: 'example.com/other', finalizers: held },
    'release',
    /filter.managed-by/,
  ],
  ['a run of a manager that is listed', { status: done, managedBy: 'example.com/ours' }, 'sign', /done/],
  ['a run that Tekton manages', { status: done, managedBy: 'tekton.dev/pipeline' }, 'sign', /done/],
  ['a done run that is being deleted', { status: done, deletedAt, finalizers: held }, 'sign', /done/],
  [
    'a run at work that is being deleted, within the grace',
    { status: running, deletedAt, finalizers: held },
    'wait',
    /until its grace ends/,
  ],
  [
    'a run at work that is being deleted and that we do not hold',
    { status: running, deletedAt },
    'skip',
    /never finished/,
  ],
  [
    'a run at work that is being deleted, after the grace',
    { status: running, deletedAt: '2026-01-01T09:00:00Z', finalizers: held },
    'release',
    /never finished/,
  ],
  ['a status that is not an object', { status: 'done' }, 'wait', /status is not an object/],
  [
    'a status that is not an object, deleted, after the grace',
    { status: 'done', deletedAt: '2026-01-01T09:00:00Z', finalizers: held },
    'release',
    /status is not an object/,
  ],
];

describe('what to do with', () => {
  for (const [what, parts, action, reason] of examples) {
    it(`${what}: ${action}`, () => {
      const decision = decide(runOf(parts), circumstances);
      assert.equal(decision.action, action);
      assert.match(decision.reason, reason);
    });
  }

  it('a run being deleted: it is held until exactly the grace after its deletion', () => {
    const decision = decide(runOf({ status: running, deletedAt, finalizers: held }), circumstances);
    assert.ok(decision.action === 'wait');
    assert.equal(decision.until?.toISOString(), '2026-01-01T10:01:00.000Z');
  });
});
