import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import {
  assertSigned,
  digestIn,
  newKey,
  openSigning,
  RepositoryView,
  signRunOf,
  type TestRegistry,
} from '../store/oci/world.ts';
import { type Finished, outputOf, run, temporaryFolder } from './process.ts';
import { tool } from './tools.ts';

const bundles = { 'storage.oci.encoding-format': 'sigstore-bundle' };

/** What the store `oci` writes to a registry, as the real cosign and oras see it. */
export function cosignSuite(name: string, start: () => Promise<TestRegistry>): void {
  suite(name, () => {
    const [key, wrongKey] = [newKey(), newKey()];
    let folder: Awaited<ReturnType<typeof temporaryFolder>>;
    let registry: TestRegistry;
    let app: RepositoryView;
    before(async () => {
      folder = await temporaryFolder('cosign');
      await writeFile(join(folder.path, 'key.pub'), key.publicKey);
      await writeFile(join(folder.path, 'wrong.pub'), wrongKey.publicKey);
      registry = await start();
      app = new RepositoryView(registry, 'acme/app');
    });
    after(async () => {
      await registry?.close();
      await folder?.remove();
    });

    const options = (more: NodeJS.ProcessEnv = {}) => ({
      cwd: folder.path,
      environment: { PATH: process.env['PATH'], HOME: folder.path, ...more },
    });
    /** cosign checks with the key, and asks no transparency log. */
    const check = (
      version: 'cosign 2' | 'cosign 3',
      args: readonly string[],
      environment?: NodeJS.ProcessEnv,
    ): Promise<Finished> => {
      const [command = '', ...others] = args;
      const all = [command, '--key', 'key.pub', '--insecure-ignore-tlog', ...others];
      return run(tool(version), all, options(environment));
    };
    const sign = async (content: string, data: Readonly<Record<string, string>> = {}): Promise<string> => {
      const image = await app.pushImage(content);
      const pipeline = openSigning(key.privateKey, data);
      assertSigned(await signRunOf(pipeline, image));
      await pipeline.close();
      return image;
    };
    const passes = ({ code, stderr }: Finished): void => assert.equal(code, 0, stderr);

    for (const version of ['cosign 2', 'cosign 3'] as const) {
      test(`${version} verifies signature and attestation at their tags`, async () => {
        const image = await sign('dsse');
        const verified = await check(version, ['verify', image]);
        passes(verified);
        const [payload] = JSON.parse(verified.stdout);
        assert.equal(payload.critical.image['docker-manifest-digest'], digestIn(image));
        passes(await check(version, ['verify-attestation', '--type', 'slsaprovenance', image]));
        const tree = await outputOf(tool(version), ['tree', image], options());
        assert.match(tree, /Signatures for an image tag: .*\.sig\n/);
        assert.match(tree, /Attestations for an image tag: .*\.att\n/);
        const downloaded = await outputOf(tool(version), ['download', 'attestation', image], options());
        const statement = JSON.parse(Buffer.from(JSON.parse(downloaded).payload, 'base64').toString());
        assert.equal(statement.subject[0].digest.sha256, digestIn(image).slice('sha256:'.length));
      });

      test(`${version} verifies SLSA v1 provenance by its short name`, async () => {
        const image = await sign('slsa v1', { 'artifacts.taskrun.format': 'slsa/v2alpha4' });
        passes(await check(version, ['verify-attestation', '--type', 'slsaprovenance1', image]));
      });

      test(`${version} verifies what is kept in another repository`, async () => {
        const elsewhere = `${registry.host}/acme/signatures`;
        const image = await sign('elsewhere', { 'storage.oci.repository': elsewhere });
        assert.notEqual((await check(version, ['verify', image])).code, 0);
        passes(await check(version, ['verify', image], { COSIGN_REPOSITORY: elsewhere }));
      });

      test(`${version} refuses another key`, async () => {
        const image = await sign('wrong key');
        const wrong = ['--key', 'wrong.pub', image];
        assert.notEqual((await check(version, ['verify', ...wrong])).code, 0);
        assert.notEqual(
          (await check(version, ['verify-attestation', '--type', 'slsaprovenance', ...wrong])).code,
          0,
        );
      });
    }

    test('cosign 3 verifies bundles, and shows them', async () => {
      const image = await sign('bundle', bundles);
      const verified = await check('cosign 3', ['verify', image]);
      passes(verified);
      assert.match(verified.stdout, /"type":"https:\/\/sigstore\.dev\/cosign\/sign\/v1"/);
      passes(await check('cosign 3', ['verify-attestation', '--type', 'slsaprovenance', image]));
      const tree = await outputOf(tool('cosign 3'), ['tree', image], options());
      assert.match(tree, /https:\/\/sigstore\.dev\/cosign\/sign\/v1 artifacts via OCI referrer/);
      assert.match(tree, /https:\/\/slsa\.dev\/provenance\/v0\.2 artifacts via OCI referrer/);
      const downloaded = await outputOf(tool('cosign 3'), ['download', 'attestation', image], options());
      assert.match(downloaded, /"mediaType":"application\/vnd\.dev\.sigstore\.bundle\.v0\.3\+json"/);
      for (const command of [['verify'], ['verify-attestation', '--type', 'slsaprovenance']])
        assert.notEqual((await check('cosign 3', [...command, '--key', 'wrong.pub', image])).code, 0);
    });

    test('cosign 3 verifies bundles that are kept in another repository', async () => {
      const elsewhere = `${registry.host}/acme/bundles`;
      const image = await sign('bundle elsewhere', { ...bundles, 'storage.oci.repository': elsewhere });
      assert.notEqual((await check('cosign 3', ['verify', image])).code, 0);
      passes(await check('cosign 3', ['verify', image], { COSIGN_REPOSITORY: elsewhere }));
    });

    test('what cosign itself put there is kept, and both verify', async () => {
      const image = await app.pushImage('both');
      const secret = { COSIGN_PASSWORD: 'test' };
      await outputOf(tool('cosign 2'), ['generate-key-pair'], options(secret));
      const theirs = ['--key', 'cosign.key', '--tlog-upload=false', '-y'];
      await outputOf(tool('cosign 2'), ['sign', ...theirs, image], options(secret));
      const pipeline = openSigning(key.privateKey);
      assertSigned(await signRunOf(pipeline, image));
      await pipeline.close();
      passes(await check('cosign 2', ['verify', image]));
      passes(await check('cosign 2', ['verify', '--key', 'cosign.pub', image]));
      assert.equal((await app.layers(image, 'sig')).length, 2);
      // And the other way round: cosign adds to what we wrote.
      const predicate = join(folder.path, 'predicate.json');
      await writeFile(predicate, '{}');
      const attest = ['attest', ...theirs, '--type', 'custom', '--predicate', predicate, image];
      await outputOf(tool('cosign 2'), attest, options(secret));
      passes(await check('cosign 2', ['verify-attestation', '--type', 'slsaprovenance', image]));
      assert.equal((await app.layers(image, 'att')).length, 2);
    });

    test('oras discovers bundles and runs as referrers', async () => {
      const image = await sign('discovered', { ...bundles, 'artifacts.taskrun.format': 'tekton' });
      const shown = await outputOf(
        tool('oras'),
        ['discover', '--plain-http', '--format', 'json', image],
        options(),
      );
      const { manifests } = JSON.parse(shown);
      assert.equal(manifests.length, 2);
      for (const { reference } of manifests) {
        const fetched = await outputOf(
          tool('oras'),
          ['manifest', 'fetch', '--plain-http', reference],
          options(),
        );
        const { artifactType, subject } = JSON.parse(fetched);
        assert.match(
          artifactType,
          /^application\/vnd\.dev\.(sigstore\.bundle\.v0\.3|tekton\.chains\.taskrun\.v1)\+json$/,
        );
        assert.equal(subject.digest, digestIn(image));
      }
    });
  });
}
