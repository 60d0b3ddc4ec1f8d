import assert from 'node:assert/strict';
import { test } from 'node:test';
import { familyOf, isOurs, memberFor } from '../../src/members/shares.ts';
import { parseRun } from '../../src/model/run.ts';

const families = Array.from({ length: 3_000 }, (_, index) => `uid-${index}`);
const three = ['a', 'b', 'c'];

function runWith(metadata: object) {
  const named = { namespace: 'ci', name: 'build', uid: 'own', resourceVersion: '1', ...metadata };
  return parseRun({ apiVersion: 'tekton.dev/v1', kind: 'TaskRun', metadata: named });
}

const owner = { apiVersion: 'tekton.dev/v1', kind: 'PipelineRun', name: 'all', uid: 'pipeline' };

test('a TaskRun belongs to the family of its PipelineRun, whichever version that is of', () => {
  assert.equal(familyOf(runWith({ ownerReferences: [owner] })), 'pipeline');
  assert.equal(
    familyOf(runWith({ ownerReferences: [{ ...owner, apiVersion: 'tekton.dev/v1beta1' }] })),
    'pipeline',
  );
});

test('a run without a PipelineRun of Tekton is a family of its own', () => {
  assert.equal(familyOf(runWith({})), 'own');
  assert.equal(familyOf(runWith({ ownerReferences: [{ ...owner, apiVersion: 'example.com/v1' }] })), 'own');
  assert.equal(familyOf(runWith({ ownerReferences: [{ ...owner, uid: '' }, 7] })), 'own');
});

test('members get equal shares, whatever the order of their names', () => {
  for (const member of three) {
    const share = families.filter((family) => memberFor(family, three) === member);
    assert.ok(Math.abs(share.length - 1_000) < 100, `${member} has ${share.length}`);
    assert.ok(share.every((family) => memberFor(family, ['c', 'a', 'b']) === member));
  }
});

test('when a member leaves, only what it had moves', () => {
  for (const family of families) {
    const before = memberFor(family, three);
    if (before !== 'c') assert.equal(memberFor(family, ['a', 'b']), before);
  }
});

test('when a member joins, what moves goes to it', () => {
  for (const family of families) {
    const after = memberFor(family, [...three, 'd']);
    if (after !== 'd') assert.equal(after, memberFor(family, three));
  }
});

test('without members a run is nobody’s', () => {
  assert.equal(memberFor('uid', []), undefined);
});

test('two members never both have a family, whatever views they work with', () => {
  const views = [['a'], ['b'], ['a', 'b'], three, ['b', 'c']];
  for (const ofA of views)
    for (const ofB of views)
      for (const family of families.slice(0, 200)) {
        const [a, b] = [
          { member: 'a', members: ofA },
          { member: 'b', members: ofB },
        ];
        assert.ok(!(isOurs(family, a, [b]) && isOurs(family, b, [a])));
      }
});

test('a family that another member still has by its view is not ours', () => {
  const [ours, before] = [
    { member: 'b', members: ['a', 'b'] },
    { member: 'a', members: ['a'] },
  ];
  assert.ok(families.every((family) => !isOurs(family, ours, [before])));
  const after = { member: 'a', members: ['a', 'b'] };
  assert.ok(families.some((family) => isOurs(family, ours, [after])));
});
