import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { parseConfig } from '../../src/config/parse.ts';
import { parseRun, type Run } from '../../src/model/run.ts';
import { openPipeline } from '../../src/pipeline.ts';
import { startRegistry } from '../../sandbox/registry/index.ts';
import { verifyImage } from '../../src/verify/image.ts';
import { readKeys } from '../../src/verify/public-key.ts';
import { verifyRun } from '../../src/verify/run.ts';
import { pipelineRun, taskRun } from '../runs.ts';
import { secretsWith } from '../sign/keys.ts';
import { assertSigned, newKey, RepositoryView } from '../store/oci/world.ts';
import { keysInFiles, keysInServices, type SigningKey } from './signing-keys.ts';

const formats = ['tekton', 'in-toto', 'slsa/v2alpha3', 'slsa/v2alpha4'];
const encodings = ['dsse', 'sigstore-bundle'];
const stores = 'tekton,oci';

const registry = await startRegistry();
const services = await keysInServices();
after(() => Promise.all([registry.close(), services.close()]));
const repository = new RepositoryView(registry, 'acme/app');
const stranger = await readKeys([newKey().publicKey]);

/** A TaskRun and its PipelineRun, which say that they built the image, as the controller leaves them. */
async function signed(
  key: SigningKey,
  image: string,
  more: Readonly<Record<string, string>>,
): Promise<readonly Run[]> {
  const status = {
    conditions: [{ type: 'Succeeded', status: 'True' }],
    startTime: '2026-01-01T10:00:00Z',
    completionTime: '2026-01-01T10:05:00Z',
    results: [{ name: 'IMAGES', value: image }],
  };
  const task = taskRun(status, { labels: { 'tekton.dev/pipelineTask': 'build' } });
  const pipeline = pipelineRun({ ...status, pipelineSpec: { tasks: [{ name: 'build' }] } }, { uid: 'uid-9' });
  const { config } = parseConfig({
    ...Object.fromEntries(
      ['taskrun', 'pipelinerun', 'oci'].flatMap((kind) => [
        [`artifacts.${kind}.signer`, key.signer],
        [`artifacts.${kind}.storage`, stores],
      ]),
    ),
    ...key.data,
    ...more,
  });
  const opened = openPipeline({ config, secrets: secretsWith(key.files) });
  const runs = [await stored(task), await stored(pipeline, [task])];
  await opened.close();
  return runs;

  async function stored(run: Run, taskRuns: readonly Run[] = []): Promise<Run> {
    const outcome = await opened.process(run, { taskRuns: taskRuns.map(({ object }) => object) });
    assertSigned(outcome);
    const { metadata, ...rest } = run.object;
    const annotations = { ...outcome.annotations, 'chains.tekton.dev/signed-uid': run.uid };
    return parseRun({ ...rest, metadata: { ...Object(metadata), annotations } });
  }
}

for (const key of [...(await keysInFiles()), ...services.keys]) {
  // Most of the time is spent looking whether another writer has replaced a tag.
  suite(`what ${key.name} signed verifies under its public key, and under no other`, {
    concurrency: 8,
  }, () => {
    for (const format of formats) {
      for (const encoding of encodings) {
        test(`runs in the format ${format}, and their image in the encoding ${encoding}`, async () => {
          const image = await repository.pushImage(`${key.name} ${format} ${encoding}`);
          const runs = await signed(key, image, {
            'artifacts.taskrun.format': format,
            'artifacts.pipelinerun.format': format,
            'storage.oci.encoding-format': encoding,
          });
          const keys = await readKeys([key.publicKey]);
          const { config } = parseConfig({});
          for (const options of [
            { keys, expected: {} },
            { keys: stranger, expected: {} },
          ]) {
            const found = await Promise.all(runs.map((run) => verifyRun(run, options)));
            const { verification } = await verifyImage(image, config, options);
            for (const { verified, checks } of [...found, verification]) {
              assert.equal(verified, options.keys === keys, JSON.stringify(checks));
            }
          }
        });
      }
    }
  });
}
