import assert from 'node:assert/strict';
import { test } from 'node:test';
import { extract } from '../../../src/extract/index.ts';
import type { JsonObject } from '../../../src/json.ts';
import type { SignedArtifact } from '../../../src/model/signature.ts';
import { imagesOf } from '../../../src/store/oci/images.ts';
import { repositoryName } from '../../../src/registry/repository.ts';
import { digest, pipelineRun, taskRunWith } from '../../runs.ts';

const hex = (digit: string) => digit.repeat(64);
const build = taskRunWith([['IMAGES', `gcr.io/acme/one@${digest('1')},gcr.io/acme/two@${digest('2')}`]]);

function entry(run: typeof build, kind: string, payload: JsonObject, dsseType?: string): SignedArtifact {
  const artifact = extract(run).artifacts.find((one) => one.kind === kind);
  assert.ok(artifact);
  return {
    artifact,
    payload: {
      bytes: Buffer.from(JSON.stringify(payload)),
      format: 'test',
      ...(dsseType === undefined ? {} : { dsseType }),
    },
    signature: { bytes: Buffer.from(''), key: { publicKey: '', keyId: '' } },
  };
}
const statement = (...subject: JsonObject[]) => ({ subject });
const names = (one: SignedArtifact) =>
  imagesOf(one).map(({ repository, digest }) => `${repositoryName(repository)}@${digest}`);
const inToto = 'application/vnd.in-toto+json';

test("an image's signature goes to the image", () => {
  assert.deepEqual(names(entry(build, 'oci', {})), [`gcr.io/acme/one@${digest('1')}`]);
});

test('a statement goes to the images among its subjects, each once', () => {
  const subjects = [
    { name: 'gcr.io/acme/app', digest: { sha256: hex('a') } },
    { name: 'gcr.io/acme/app:v1', digest: { sha256: hex('a') } },
    { name: 'docker.io/acme/app', digest: { sha256: hex('b') } },
    { name: 'index.docker.io/acme/app', digest: { sha256: hex('b') } },
    { name: 'pkg:npm/acme/app', digest: { sha256: hex('c') } },
    { name: 'https://example.com/file.tar', digest: { sha256: hex('d') } },
    { name: 'gcr.io/acme/old', digest: { sha1: 'e'.repeat(40) } },
    { name: 'gcr.io/acme/short', digest: { sha256: 'abc' } },
    { name: 'gcr.io/acme/none' },
    {},
  ];
  for (const [run, kind] of [
    [build, 'taskrun'],
    [pipelineRun({}), 'pipelinerun'],
  ] as const)
    assert.deepEqual(names(entry(run, kind, statement(...subjects), inToto)), [
      `gcr.io/acme/app@${digest('a')}`,
      `index.docker.io/acme/app@${digest('b')}`,
    ]);
});

test("a run's status goes to the images that the run names", () => {
  assert.deepEqual(names(entry(build, 'taskrun', {})), [
    `gcr.io/acme/one@${digest('1')}`,
    `gcr.io/acme/two@${digest('2')}`,
  ]);
  assert.deepEqual(names(entry(pipelineRun({}), 'pipelinerun', {})), []);
});

test('an image whose name no registry has is an error, not an image that nobody looks for', () => {
  const odd = taskRunWith([['IMAGES', `gcr.io/acme/../app@${digest('1')}`]]);
  assert.throws(() => names(entry(odd, 'oci', {})), {
    code: 'RUN_UNREADABLE',
    message: /^status\.results\[0\]: no registry has a repository of the name gcr\.io\/acme\/\.\.\/app/,
  });
});
