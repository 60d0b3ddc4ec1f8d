import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explain } from '../../src/index.ts';
import { digest, taskRunWith } from '../runs.ts';

const image = 'registry.example.com/team/app';
const commit = '5f0c6d7e8a9b0c1d2e3f4a5b6c7d8e9f0a1b2c3d';
const url = 'https://git.example.com/team/app';
const pair = { IMAGE_URL: `${image}:1.2`, IMAGE_DIGEST: `${digest('a')}\n` };

/** The results that common tasks give: all that is well, and one that is missing or spoilt. */
const tasks: Readonly<
  Record<string, { results: Readonly<Record<string, string>>; images: number; spoilt: string }>
> = {
  kaniko: { results: pair, images: 1, spoilt: 'IMAGE_URL' },
  buildah: { results: pair, images: 1, spoilt: 'IMAGE_DIGEST' },
  'docker-build': { results: pair, images: 1, spoilt: 'IMAGE_DIGEST' },
  'jib-maven': { results: pair, images: 1, spoilt: 'IMAGE_URL' },
  buildpacks: {
    results: { APP_IMAGE_URL: image, APP_IMAGE_DIGEST: digest('a') },
    images: 1,
    spoilt: 'APP_IMAGE_DIGEST',
  },
  ko: {
    results: { IMAGES: `${image}@${digest('a')}\n${image}-worker@${digest('b')}\n` },
    images: 2,
    spoilt: 'IMAGES',
  },
  'git-clone with hints': {
    results: {
      commit,
      url,
      'committer-date': '1767323045',
      'CHAINS-GIT_URL': `${url}\n`,
      'CHAINS-GIT_COMMIT': `${commit}\n`,
    },
    images: 0,
    spoilt: 'CHAINS-GIT_COMMIT',
  },
  'buildah of Konflux': {
    results: {
      ...pair,
      IMAGE_REF: `${image}@${digest('a')}`,
      SBOM_BLOB_URL: `${image}@${digest('c')}`,
      BASE_IMAGES_DIGESTS: '',
    },
    images: 1,
    spoilt: 'IMAGE_DIGEST',
  },
  'git-clone of Konflux': {
    results: {
      commit,
      url,
      'short-commit': commit.slice(0, 7),
      'commit-timestamp': '1767323045',
      'CHAINS-GIT_URL': url,
      'CHAINS-GIT_COMMIT': commit,
    },
    images: 0,
    spoilt: 'CHAINS-GIT_URL',
  },
};

const explained = (results: Readonly<Record<string, string>>) =>
  explain({
    run: taskRunWith(Object.entries(results)).object,
    config: { 'artifacts.taskrun.format': 'slsa/v1' },
  });

for (const [name, { results, images, spoilt }] of Object.entries(tasks)) {
  test(`${name}: no message where all is well`, async () => {
    const { artifacts, problems } = await explained(results);
    assert.deepEqual(problems, []);
    assert.equal(artifacts.filter(({ kind }) => kind === 'oci').length, images);
    if (images === 0) assert.match(JSON.stringify(artifacts), new RegExp(`git\\+${url}\\.git.*${commit}`));
  });

  test(`${name}: a message where ${spoilt} is missing`, async () => {
    const { [spoilt]: value = '', ...rest } = results;
    // Without its only result a task says nothing at all: there it is an entry that is spoilt.
    const given = Object.keys(rest).length === 0 ? { [spoilt]: value.slice(0, -2) } : rest;
    const { problems } = await explained(given);
    assert.equal(problems.length, 1, JSON.stringify(problems));
    assert.ok((problems[0]?.message ?? '').length > 20);
  });
}
