import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  afterWrite,
  endStatement,
  holdStatement,
  releasePatch,
  retryStatement,
} from '../../src/decide/marking.ts';
import { done, runOf } from '../controller/runs.ts';

const held = ['chains.tekton.dev/taskrun'];
const end = {
  state: 'true',
  message: '',
  failures: 0,
  annotations: { 'chains.tekton.dev/payload-x': 'e30=' },
} as const;
const deletedAt = '2026-01-01T10:00:00Z';

describe('what is written on a run', () => {
  it('names the very version that was seen, so that nothing newer is overwritten', () => {
    assert.deepEqual(holdStatement(runOf({})), {
      apiVersion: 'tekton.dev/v1',
      kind: 'TaskRun',
      metadata: {
        ...{ name: 'build', namespace: 'ci', uid: 'uid-1', resourceVersion: '7' },
        finalizers: held,
        annotations: {},
      },
    });
  });

  it('blanks marks that the run inherited when it is held', () => {
    const inherited = { 'chains.tekton.dev/signed': 'true' };
    const { metadata } = Object(holdStatement(runOf({ annotations: inherited, labels: inherited })));
    assert.deepEqual(metadata.annotations, { 'chains.tekton.dev/signed': '' });
    assert.deepEqual(metadata.labels, { 'chains.tekton.dev/signed': '' });
  });

  it('at the end is payloads, mark, uid and label, and no finalizer', () => {
    const { metadata } = Object(endStatement(runOf({ status: done, finalizers: held }), end));
    assert.equal(metadata.finalizers, undefined);
    assert.deepEqual(metadata.labels, { 'chains.tekton.dev/signed': 'true' });
    assert.deepEqual(metadata.annotations, {
      'chains.tekton.dev/payload-x': 'e30=',
      'chains.tekton.dev/signed': 'true',
      'chains.tekton.dev/signed-uid': 'uid-1',
    });
  });

  it('at a failed end is the reason and how often it was tried, too', () => {
    const failed = { ...end, state: 'failed', message: 'x509.pem is missing', failures: 3 } as const;
    const { metadata } = Object(endStatement(runOf({ status: done }), failed));
    assert.equal(metadata.annotations['chains.tekton.dev/message'], 'x509.pem is missing');
    assert.equal(metadata.annotations['chains.tekton.dev/retries'], '3');
    assert.equal(metadata.labels['chains.tekton.dev/signed'], 'failed');
  });

  it('at the end of a run being deleted keeps our finalizer and leaves the label to the release', () => {
    const { metadata } = Object(endStatement(runOf({ status: done, deletedAt, finalizers: held }), end));
    assert.deepEqual(metadata.finalizers, held);
    assert.equal(metadata.labels, undefined);
  });

  it('never adds a finalizer to a run being deleted, which the API server would refuse', () => {
    const deleted = runOf({ status: done, deletedAt, finalizers: ['chains.tekton.dev'] });
    assert.equal(Object(endStatement(deleted, end)).metadata.finalizers, undefined);
    assert.equal(Object(retryStatement(deleted, 1, 'busy')).metadata.finalizers, undefined);
  });

  it('between attempts is the reason and the number of attempts, and holds the run', () => {
    const { metadata } = Object(retryStatement(runOf({ status: done }), 2, 'busy'));
    assert.deepEqual(metadata.finalizers, held);
    assert.deepEqual(metadata.annotations, {
      'chains.tekton.dev/message': 'busy',
      'chains.tekton.dev/retries': '2',
    });
  });

  it('at the release leaves the finalizers of others', () => {
    const run = runOf({ status: done, deletedAt, finalizers: [...held, 'example.com/kept'] });
    assert.deepEqual(releasePatch(run, held, 'true'), {
      metadata: {
        ...{ uid: 'uid-1', resourceVersion: '7', finalizers: ['example.com/kept'] },
        labels: { 'chains.tekton.dev/signed': 'true' },
      },
    });
  });

  it('is followed by the version that the API server answered', () => {
    const answer = { metadata: { resourceVersion: '8', finalizers: ['example.com/kept'] } };
    const { resourceVersion, finalizers } = afterWrite(runOf({ finalizers: held }), answer);
    assert.deepEqual(
      { resourceVersion, finalizers },
      { resourceVersion: '8', finalizers: ['example.com/kept'] },
    );
  });
});
