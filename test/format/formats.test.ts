import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FormatName } from '../../src/config/keys.ts';
import { parseConfig } from '../../src/config/parse.ts';
import { extract } from '../../src/extract/index.ts';
import { formats, loadFormat } from '../../src/format/index.ts';
import type { Artifact } from '../../src/model/artifact.ts';
import type { Json } from '../../src/json.ts';
import type { Run } from '../../src/model/run.ts';
import { digest, taskRun, taskRunWith } from '../runs.ts';

const { config } = parseConfig({});
const tekton = await formats.tekton();
const simplesigning = await formats.simplesigning();
const options = (name: FormatName) => ({ config, name, report: () => {} });

function artifactOf(run: Run, kind: Artifact['kind']): Artifact {
  const found = extract(run).artifacts.find((artifact) => artifact.kind === kind);
  assert.ok(found, `no ${kind} in the run`);
  return found;
}

const textOf = (payload: { bytes: Uint8Array }) => new TextDecoder().decode(payload.bytes);

test("tekton: the payload is the run's status as it is in the object, in its own order", () => {
  const status: Json = JSON.parse(
    '{"taskSpec":{},"odd":{"z":1,"a":["<&>","é","\\u2028"],"__proto__":{"x":null}},"conditions":[]}',
  );
  const payload = tekton(artifactOf(taskRun(status), 'taskrun'), options('tekton'));
  assert.equal(
    textOf(payload),
    '{"taskSpec":{},"odd":{"z":1,"a":["<&>","é","\u2028"],"__proto__":{"x":null}},"conditions":[]}',
  );
  assert.equal(payload.format, 'tekton');
});

test('tekton: a lone surrogate becomes an escape, so that the bytes are UTF-8', () => {
  const payload = tekton(artifactOf(taskRun({ odd: '\ud800' }), 'taskrun'), options('tekton'));
  assert.equal(textOf(payload), '{"odd":"\\ud800"}');
});

test("tekton: an image's payload is the status of the run that built it", () => {
  const run = taskRunWith([['IMAGES', `gcr.io/acme/app@${digest('a')}`]]);
  assert.deepEqual(
    tekton(artifactOf(run, 'oci'), options('tekton')).bytes,
    tekton(artifactOf(run, 'taskrun'), options('tekton')).bytes,
  );
});

test('tekton: a status that is missing, no object or too deep is RUN_UNREADABLE', () => {
  const deep: Json = { deep: JSON.parse('['.repeat(100_000) + ']'.repeat(100_000)) };
  for (const [status, message] of [
    [undefined, /status is missing in TaskRun ci\/build/],
    [null, /status is missing/],
    ['done', /status is not an object/],
    [deep, /nests too deeply/],
  ] as const) {
    const artifact = artifactOf(taskRun(status), 'taskrun');
    assert.throws(() => tekton(artifact, options('tekton')), { code: 'RUN_UNREADABLE', message });
  }
});

test('simplesigning: what cosign reads, with optional as null', () => {
  const run = taskRunWith([['IMAGES', `busybox:1@${digest('a')}`]]);
  const payload = simplesigning(artifactOf(run, 'oci'), options('simplesigning'));
  assert.deepEqual(JSON.parse(textOf(payload)), {
    critical: {
      identity: { 'docker-reference': 'index.docker.io/library/busybox' },
      image: { 'docker-manifest-digest': digest('a') },
      type: 'cosign container image signature',
    },
    optional: null,
  });
  assert.equal(payload.format, 'simplesigning');
});

test('simplesigning: a run is not an image', () => {
  assert.throws(() => simplesigning(artifactOf(taskRun({}), 'taskrun'), options('simplesigning')), {
    code: 'CONFIG_INVALID',
    message: /artifacts\.taskrun\.format/,
  });
});

test('provenance formats are for runs: an image is refused', async () => {
  const image = artifactOf(taskRunWith([['IMAGES', `busybox@${digest('a')}`]]), 'oci');
  for (const name of ['in-toto', 'slsa/v2alpha4'] as const) {
    const format = await loadFormat(name);
    assert.throws(() => format(image, options(name)), {
      code: 'CONFIG_INVALID',
      message: /artifacts\.oci\.format/,
    });
  }
});

test('simplesigning: in a bundle it is a statement that names the image, in an envelope', () => {
  const run = taskRunWith([['IMAGES', `gcr.io/acme/app@${digest('a')}`]]);
  const payload = simplesigning(artifactOf(run, 'oci'), { ...options('simplesigning'), bundled: true });
  assert.equal(payload.dsseType, 'application/vnd.in-toto+json');
  assert.deepEqual(JSON.parse(textOf(payload)), {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: 'gcr.io/acme/app', digest: { sha256: 'a'.repeat(64) } }],
    predicateType: 'https://sigstore.dev/cosign/sign/v1',
    predicate: {},
  });
});
