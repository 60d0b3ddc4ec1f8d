import assert from 'node:assert/strict';
import { cp, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { test } from 'node:test';
import { startRegistry } from '../../sandbox/registry/index.ts';
import { blocksOf, prelude, project, readPages } from '../project/pages.ts';
import { pkcs8 } from '../sign/keys.ts';
import { assertSigned, newKey, openSigning, RepositoryView, signRunOf } from '../store/oci/world.ts';
import { run, start } from './process.ts';
import { folderFor } from './signed.ts';
import { tool } from './tools.ts';

/** The run that pages speak of, signed with the key in x509.pem. */
const supply = `
kubectl create secret generic signing-secrets -n tekton-chains --from-file=x509.pem > /dev/null
sed 's/generateName: .*/name: build-hello/' examples/task-output-image.yaml | kubectl create -f - > /dev/null
until kubectl get taskrun build-hello -o json | jq -e '.metadata.annotations["chains.tekton.dev/signed"]' > /dev/null; do sleep 0.2; done
`;

for (const page of await readPages()) {
  const blocks = blocksOf(page).filter(({ mark }) => mark === 'run' || mark === 'run: servers');
  if (!blocks.some(({ mark }) => mark === 'run: servers')) continue;
  const commands = blocks.map((block) => block.commands).join('');
  const versions = commands.includes('cosign ')
    ? (['cosign 2', 'cosign 3'] as const)
    : (['cosign 2'] as const);
  for (const version of versions) {
    const how = versions.length === 1 ? '' : `, with ${version}`;
    test(`${page.path}: its commands work as they stand there${how}`, {
      timeout: 300_000,
    }, async (t) => {
      const folder = await folderFor(t);
      await cp(join(project, 'examples'), join(folder, 'examples'), { recursive: true });
      const key = newKey();
      await writeFile(join(folder, 'x509.pem'), pkcs8(key.privateKey), { mode: 0o600 });
      await writeFile(join(folder, 'x509.pub'), key.publicKey);
      const registry = await startRegistry();
      t.after(() => registry.close());
      const image = await new RepositoryView(registry, 'acme/app').pushImage('app');
      const pipeline = openSigning(key.privateKey, { 'artifacts.taskrun.format': 'slsa/v2alpha4' });
      assertSigned(await signRunOf(pipeline, image));
      await pipeline.close();
      const sandbox = start(process.execPath, [join(project, 'bin/chains.js'), 'sandbox']);
      t.after(() => sandbox.stop());
      const [, kubeconfig = ''] = await sandbox.printed(/export KUBECONFIG=(\S+)\n/);
      const path = [dirname(tool(version)), dirname(tool('kubectl')), process.env['PATH']].join(delimiter);
      const environment = { ...process.env, PATH: path, KUBECONFIG: kubeconfig, IMAGE: image };
      const script = prelude + supply + commands;
      const { code, stdout, stderr } = await run('bash', ['-exuo', 'pipefail', '-c', script], {
        cwd: folder,
        environment,
      });
      assert.equal(code, 0, `${stdout}\n${stderr}`);
    });
  }
}
