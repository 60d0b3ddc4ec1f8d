import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDigest } from '../../src/extract/digest.ts';
import { fullNameOf, parseImageReference } from '../../src/extract/image-reference.ts';
import { valueOf } from '../../src/extract/value.ts';
import { type Json, type JsonObject, member } from '../../src/model/json.ts';
import { linesOf, textOf } from './cases.ts';

/** How each kind of vector is read; undefined where it is refused. */
const readers: Readonly<Record<string, (line: JsonObject) => Json | undefined>> = {
  image(line) {
    const read = parseImageReference(textOf(line, 'in'));
    if (!read.ok) return undefined;
    const { repository, digest } = read.value;
    return { name: fullNameOf(read.value), repository, digest };
  },
  digest(line) {
    const read = parseDigest(textOf(line, 'in'));
    return read.ok ? [read.value.algorithm, read.value.hex] : undefined;
  },
  param(line) {
    const value = valueOf(member(line, 'in'), 'in');
    if (value.kind === 'list') return value.texts;
    if (value.kind === 'object') return Object.fromEntries(value.members);
    return value.kind === 'text' ? value.text : undefined;
  },
};

for (const [kind, read] of Object.entries(readers)) {
  test(`scalars.jsonl: every vector of the kind ${kind}`, () => {
    const vectors = linesOf('scalars.jsonl').filter((line) => member(line, 'kind') === kind);
    assert.ok(vectors.length > 20);
    for (const line of vectors) {
      assert.deepEqual(read(line), member(line, 'out'), JSON.stringify(member(line, 'in')));
    }
  });
}
