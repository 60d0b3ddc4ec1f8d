import assert from 'node:assert/strict';
import { test } from 'node:test';
import { extract } from '../../src/extract/index.ts';
import type { Artifact } from '../../src/model/artifact.ts';
import { annotationsLimit, fitAnnotations } from '../../src/store/annotation-room.ts';
import { digest, taskRunWith } from '../runs.ts';

const images = ['a', 'b', 'c'].map((digit) => `gcr.io/acme/${digit}${digit}@${digest(digit)}`);
const artifacts = extract(taskRunWith([['IMAGES', images.join()]])).artifacts;
const marks = 4 * 1024;

function entry(index: number, key: string, bytes: number) {
  const artifact: Artifact | undefined = artifacts[index];
  assert.ok(artifact);
  return { artifact, annotations: { [key]: 'x'.repeat(bytes - key.length) } };
}

test('what fits exactly is kept; one byte more is PAYLOAD_TOO_LARGE with the sizes and the advice', () => {
  const room = annotationsLimit - marks - 10;
  assert.deepEqual(fitAnnotations({ keyé: '1234é' }, []).annotations, {});
  const fits = fitAnnotations({ keyé: '12é4' }, [entry(0, 'k', room)]);
  assert.equal(fits.tooLarge.length, 0);
  const { annotations, tooLarge } = fitAnnotations({ keyé: '12é4' }, [entry(0, 'k', room + 1)]);
  assert.deepEqual(annotations, {});
  assert.equal(tooLarge[0]?.error.code, 'PAYLOAD_TOO_LARGE');
  assert.match(
    tooLarge[0]?.error.message ?? '',
    /^tekton\.dev-v1-TaskRun-uid-1: 258039 bytes .* other 10 bytes: Kubernetes allows 262144 .*artifacts\.taskrun\.storage$/,
  );
});

test("an entry that doesn't fit is left out alone", () => {
  const half = annotationsLimit / 2;
  const { annotations, tooLarge } = fitAnnotations({}, [
    entry(0, 'first', half),
    entry(1, 'second', half),
    entry(2, 'third', 1_000),
  ]);
  assert.deepEqual(Object.keys(annotations), ['first', 'third']);
  assert.deepEqual(
    tooLarge.map(({ artifact }) => artifact.key),
    ['aaaaaaaaaaaa'],
  );
});

test('an annotation that is replaced is not counted twice', () => {
  const present = { mine: 'x'.repeat(annotationsLimit - marks - 100) };
  const { annotations, tooLarge } = fitAnnotations(present, [entry(0, 'mine', 200_000)]);
  assert.deepEqual([Object.keys(annotations), tooLarge.length], [['mine'], 0]);
});

test('evidence that has no room is left out with a word, and its signature stays', () => {
  const signed = entry(0, 'chains.tekton.dev/signature-k', 200_000);
  const evidence = { 'chains.tekton.dev/evidence-k': 'x'.repeat(100_000) };
  const both = { ...signed, annotations: { ...signed.annotations, ...evidence } };
  const { annotations, tooLarge, leftOut } = fitAnnotations({}, [both, entry(1, 'next', 1_000)]);
  assert.deepEqual(Object.keys(annotations), ['chains.tekton.dev/signature-k', 'next']);
  assert.equal(tooLarge.length, 0);
  assert.match(
    leftOut[0]?.message ?? '',
    /there is no room for the evidence of its signature; add another store/,
  );
});
