import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { at } from '../../src/json.ts';
import { type Sandbox, startSandbox } from '../../sandbox/index.ts';
import { type Finished, outputOf, run, start, temporaryFolder } from './process.ts';
import { tool } from './tools.ts';

const examples = fileURLToPath(new URL('../../examples', import.meta.url));

suite('the real kubectl on the sandbox', () => {
  let sandbox: Sandbox;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  before(async () => {
    folder = await temporaryFolder('kubectl-sandbox');
    sandbox = await startSandbox();
    await writeFile(join(folder.path, 'kubeconfig'), sandbox.kubeconfig);
  });
  after(async () => {
    await sandbox?.close();
    await folder?.remove();
  });

  const options = (input?: string, more: NodeJS.ProcessEnv = {}) => ({
    ...(input === undefined ? {} : { input }),
    environment: {
      PATH: process.env['PATH'],
      HOME: folder.path,
      KUBECONFIG: join(folder.path, 'kubeconfig'),
      ...more,
    },
  });
  const kubectl = (args: string, input?: string) =>
    outputOf(tool('kubectl'), args.split(' '), options(input));
  const attempt = (args: string): Promise<Finished> => run(tool('kubectl'), args.split(' '), options());
  const finishedRun = async () => {
    const name = (await kubectl(`create -f ${examples}/task-output-image.yaml -o name`)).trim();
    await kubectl(`wait --for=condition=Succeeded --timeout=30s ${name}`);
    return name;
  };

  test('create -f, wait, and get as a table and as JSON', async () => {
    const said = await kubectl(`create -f ${examples}/task-output-image.yaml`);
    assert.match(said, /^taskrun\.tekton\.dev\/build-push-run-output-image-[a-z0-9]{5} created\n$/);
    const name = said.split(' ')[0] ?? '';
    await kubectl(`wait --for=condition=Succeeded --timeout=30s ${name}`);
    const [head, row] = (await kubectl(`get ${name}`)).split('\n');
    assert.match(head ?? '', /^NAME +SUCCEEDED +REASON +STARTTIME +COMPLETIONTIME *$/);
    assert.match(row ?? '', /^build-push-run-output-image-\w{5} +True +Succeeded +\d+s +\d+s *$/);
    const object: unknown = JSON.parse(await kubectl(`get ${name} -o json`));
    assert.equal(at(object, 'status', 'podName'), `${String(at(object, 'metadata', 'name'))}-pod`);
  });

  test('the v1beta1 example is created, too', async () => {
    const name = (await kubectl(`create -f ${examples}/task-output-image-v1beta1.yaml -o name`)).trim();
    await kubectl(`wait --for=condition=Succeeded --timeout=30s ${name}`);
    assert.match(await kubectl(`get ${name} -o jsonpath={.status.resourcesResult}`), /"key":"digest"/);
  });

  test('create secret, configmap and namespace, as kubectl sends them', async () => {
    const file = join(folder.path, 'x509.pem');
    await writeFile(file, 'a key');
    await kubectl(`create secret generic signing-secrets -n tekton-chains --from-file=${file}`);
    const secret = sandbox.objects.get('Secret', 'tekton-chains', 'signing-secrets');
    assert.deepEqual([secret?.['data'], secret?.['type']], [{ 'x509.pem': 'YSBrZXk=' }, 'Opaque']);
    const again = await attempt(`create secret generic signing-secrets -n tekton-chains --from-file=${file}`);
    assert.match(again.stderr, /secrets "signing-secrets" already exists/);
    await kubectl('create configmap made --from-literal=a=b');
    assert.deepEqual(sandbox.objects.get('ConfigMap', 'default', 'made')?.['data'], { a: 'b' });
    await kubectl('create namespace made');
    assert.match(await kubectl('get namespaces'), /^made +Active/m);
  });

  test('edit and patch', async () => {
    await kubectl('create configmap edited --from-literal=a=b');
    const editing = options(undefined, { KUBE_EDITOR: 'sed -i s/a:.b/a:\\ c/' });
    assert.match(await outputOf(tool('kubectl'), ['edit', 'configmap', 'edited'], editing), /edited/);
    const data = () => sandbox.objects.get('ConfigMap', 'default', 'edited')?.['data'];
    assert.deepEqual(data(), { a: 'c' });
    await kubectl('patch configmap edited -p {"data":{"d":"e"}}');
    await kubectl('patch configmap edited --type=merge -p {"data":{"a":null}}');
    await kubectl('patch configmap edited --type=json -p [{"op":"add","path":"/data/f","value":"g"}]');
    assert.deepEqual(data(), { d: 'e', f: 'g' });
  });

  test('apply, by the client and by the server, with conflicts', async () => {
    const map = (data: string) =>
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'applied' },
        data: JSON.parse(data),
      });
    assert.match(await kubectl('apply -f -', map('{"a":"1","b":"2"}')), /created/);
    assert.match(await kubectl('apply -f -', map('{"a":"1","c":"3"}')), /configured/);
    assert.match(await kubectl('apply -f -', map('{"a":"1","c":"3"}')), /unchanged/);
    assert.deepEqual(sandbox.objects.get('ConfigMap', 'default', 'applied')?.['data'], { a: '1', c: '3' });
    await kubectl('patch configmap applied -p {"data":{"a":"theirs"}} --field-manager=them');
    const refused = await run(
      tool('kubectl'),
      ['apply', '--server-side', '-f', '-'],
      options(map('{"a":"mine"}')),
    );
    assert.match(refused.stderr, /conflict with "them" using v1: \.data\.a/);
    await kubectl('apply --server-side --force-conflicts -f -', map('{"a":"mine"}'));
    assert.equal(at(sandbox.objects.get('ConfigMap', 'default', 'applied'), 'data', 'a'), 'mine');
  });

  test('annotate, label, select by label, describe with events, and delete', async () => {
    const name = await finishedRun();
    const uid = await kubectl(`get ${name} -o jsonpath={.metadata.uid}`);
    await kubectl(`annotate ${name} note=kept`);
    await kubectl(`label ${name} colour=blue`);
    assert.equal((await kubectl('get taskruns -l colour=blue -o name')).trim(), name);
    assert.equal(await kubectl('get taskruns -l colour,colour!=blue -o name'), '');
    const about = { kind: 'TaskRun', namespace: 'default', name: name.split('/')[1] ?? '', uid };
    const metadata = { name: 'signed', namespace: 'default' };
    const event = { involvedObject: about, type: 'Normal', reason: 'Signed', message: 'it is signed' };
    sandbox.objects.put({ apiVersion: 'v1', kind: 'Event', metadata, ...event });
    const described = await kubectl(`describe ${name}`);
    assert.match(described, /note: kept/);
    assert.match(described, /Signed .*it is signed/);
    assert.match(
      await kubectl('get events'),
      /Normal +Signed +taskrun\/build-push-run-output-image-\w+ +it is signed/,
    );
    assert.match(await kubectl(`delete ${name}`), /deleted/);
    assert.match((await attempt(`get ${name}`)).stderr, /NotFound/);
  });

  test('get -w shows changes as they come', async () => {
    const name = await finishedRun();
    const watching = start(tool('kubectl'), ['get', name, '-w', '--show-labels'], options());
    await watching.printed(/True +Succeeded .*<none>/);
    await kubectl(`label ${name} watched=yes`);
    await watching.printed(/watched=yes/);
    await watching.stop();
  });

  test('a misspelt field is refused, and a dry run creates nothing', async () => {
    const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'dry' } };
    const wrong = await run(
      tool('kubectl'),
      ['create', '-f', '-'],
      options(JSON.stringify({ ...map, dta: {} })),
    );
    assert.match(wrong.stderr, /unknown field "dta"/);
    await kubectl('create --dry-run=server -f -', JSON.stringify(map));
    assert.equal(sandbox.objects.get('ConfigMap', 'default', 'dry'), undefined);
  });

  test('api-resources and version', async () => {
    assert.match(await kubectl('api-resources'), /^taskruns +tr,trs +tekton\.dev\/v1 +true +TaskRun/m);
    assert.match(await kubectl('version'), /Server Version: v1\.36/);
  });
});
