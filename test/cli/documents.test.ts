import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { documentsIn, readDocuments } from '../../src/cli/input/documents.ts';

const values = (text: string) => documentsIn('given', text).map(({ value }) => value);

describe('documents', () => {
  it('are YAML or JSON, one or several, and empty ones count for nothing', () => {
    assert.deepEqual(values('a: 1\n---\n---\nb: [x]\n'), [{ a: 1 }, { b: ['x'] }]);
    assert.deepEqual(values('{"a": 1}'), [{ a: 1 }]);
    assert.deepEqual(values('{"a": 1}\n{"a": 2}\n'), [{ a: 1 }, { a: 2 }]);
    assert.deepEqual(values('{\n "a": 1\n}\n{\n "a": 2\n}\n'), [{ a: 1 }, { a: 2 }]);
    assert.deepEqual(values(''), []);
  });

  it('may be lists, also lists of lists', () => {
    const list = { kind: 'List', items: [{ a: 1 }, { kind: 'TaskRunList', items: [{ b: 2 }] }] };
    assert.deepEqual(values(JSON.stringify(list)), [{ a: 1 }, { b: 2 }]);
    assert.deepEqual(values('[{"a":1},{"b":2}]'), [{ a: 1 }, { b: 2 }]);
  });

  it('keep what looks like a time, a word for truth or a key of every object', () => {
    assert.deepEqual(values('t: 2024-03-01T10:00:00Z\ny: yes\n'), [{ t: '2024-03-01T10:00:00Z', y: 'yes' }]);
    const [odd] = values('__proto__: {x: 1}\n');
    assert.ok(Object.hasOwn(Object(odd), '__proto__'));
  });

  it('say where they stand', () => {
    const where = (text: string) => documentsIn('runs.yaml', text).map((one) => one.where);
    assert.deepEqual(where('a: 1'), ['runs.yaml']);
    assert.deepEqual(where('a: 1\n---\nkind: List\nitems: [{}]'), [
      'runs.yaml, document 1',
      'runs.yaml, document 2, item 1',
    ]);
  });

  it('that are broken are USAGE errors with file and reason', () => {
    const broken = {
      'a: [': /given is not YAML/,
      '{"a": ': /given is not JSON/,
      '{"a":1}\n{"a"': /given, document 2 is not JSON/,
    };
    for (const [text, message] of Object.entries(broken)) {
      assert.throws(() => documentsIn('given', text), { code: 'USAGE', message });
    }
    const bomb =
      `a: &a [x]\n${Array.from({ length: 9 }, (_, n) => `b${n}: &b${n} [${'*a,'.repeat(9)}]`).join('\n')}\n`.replaceAll(
        '*a',
        '*a',
      );
    assert.ok(documentsIn('given', bomb).length === 1);
  });

  it('come from files, folders and standard input, in order', async (context) => {
    const folder = await mkdtemp(join(tmpdir(), 'chains-documents-'));
    context.after(() => rm(folder, { recursive: true }));
    await mkdir(join(folder, 'runs'));
    await writeFile(join(folder, 'runs', 'b.yaml'), 'n: b');
    await writeFile(join(folder, 'runs', 'a.json'), '{"n":"a"}');
    await writeFile(join(folder, 'runs', 'notes.txt'), 'no document');
    await writeFile(join(folder, 'c.yml'), 'n: c');
    const paths = [join(folder, 'c.yml'), '-', join(folder, 'runs')];
    const read = await readDocuments(paths, Readable.from(['n: input']));
    assert.deepEqual(
      read.map(({ value }) => value),
      ['c', 'input', 'a', 'b'].map((n) => ({ n })),
    );
    await assert.rejects(readDocuments([join(folder, 'none.yaml')]), {
      code: 'USAGE',
      message: /none\.yaml can't be read/,
    });
  });
});
