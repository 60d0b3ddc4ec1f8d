import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDigest } from '../../src/extract/digest.ts';
import { parseImageReference } from '../../src/extract/image-reference.ts';
import { fullNameOf } from '../../src/model/image.ts';
import { isJsonObject, type Json, type JsonObject, member } from '../../src/json.ts';
import { duration } from '../../src/tekton/duration.ts';
import { goJson } from '../../src/tekton/go-json.ts';
import { quantity } from '../../src/tekton/quantity.ts';
import { rawJson, value } from '../../src/tekton/value.ts';
import { map, type Shape } from '../../src/tekton/shape.ts';
import { time, withPaddedFraction, withShortFraction } from '../../src/tekton/time.ts';
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
  param: (line) => value.encode(value.decode(member(line, 'in') ?? null)),
  quantity: (line) => accepted(quantity, line, (read) => read),
  duration: (line) => accepted(duration, line, (read) => duration.encode(read)),
  'time-seconds': (line) => accepted(time, line, (read) => time.encode(read)),
  'time-v02': (line) => accepted(time, line, withShortFraction),
  'time-v1': (line) => accepted(time, line, withPaddedFraction),
  gojson(line) {
    const given = member(line, 'in') ?? null;
    return goJson(isJsonObject(given) ? map(rawJson).encode(map(rawJson).decode(given)) : given);
  },
};

function accepted<T>(shape: Shape<T>, line: JsonObject, print: (read: T) => Json): Json | undefined {
  const given = member(line, 'in') ?? null;
  let read: T;
  try {
    read = shape.decode(given);
  } catch {
    return undefined;
  }
  return print(read);
}

for (const [kind, read] of Object.entries(readers)) {
  test(`scalars.jsonl: every vector of the kind ${kind}`, () => {
    const vectors = linesOf('scalars.jsonl').filter((line) => member(line, 'kind') === kind);
    assert.ok(vectors.length > 10);
    for (const line of vectors) {
      assert.deepEqual(
        read(line) ?? undefined,
        member(line, 'out') ?? undefined,
        JSON.stringify(member(line, 'in')),
      );
    }
  });
}
