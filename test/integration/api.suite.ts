import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { at, isJsonObject, type Json, type JsonObject } from '../../src/json.ts';
import { ApiClient, type ApiServer } from './api.client.ts';

const merge = 'application/merge-patch+json';
const json = 'application/json-patch+json';
const strategic = 'application/strategic-merge-patch+json';
const apply = 'application/apply-patch+yaml';
const as = (kind: string) => `application/json;as=${kind};g=meta.k8s.io;v=v1`;
const taskRun = { apiVersion: 'tekton.dev/v1', kind: 'TaskRun' };
const configMap = { apiVersion: 'v1', kind: 'ConfigMap' };

const metadata = (object: Json | undefined, ...path: readonly string[]) => at(object, 'metadata', ...path);
const text = (value: Json | undefined) => String(value);
const versionOf = (object: JsonObject) => text(metadata(object, 'resourceVersion'));
const namesOf = (list: JsonObject) => itemsOf(list).map((item) => text(metadata(item, 'name')));
const itemsOf = (list: JsonObject): readonly Json[] => (Array.isArray(list['items']) ? list['items'] : []);
const reasonsOf = (status: JsonObject) => {
  const causes = at(status, 'details', 'causes');
  return (Array.isArray(causes) ? causes : []).map(
    (cause) => `${text(at(cause, 'reason'))} ${text(at(cause, 'field'))}`,
  );
};

/** What every API server that the controller works with must do: run on the sandbox and on the real one. */
export function apiSuite(name: string, start: () => Promise<ApiServer>): void {
  suite(name, () => {
    let server: ApiServer;
    let api: ApiClient;
    before(async () => {
      server = await start();
      api = new ApiClient(server);
    });
    after(async () => {
      await api?.close();
      await server?.close();
    });

    const runsIn = (namespace: string, version = 'v1') =>
      `/apis/tekton.dev/${version}/namespaces/${namespace}/taskruns`;
    const mapsIn = (namespace: string) => `/api/v1/namespaces/${namespace}/configmaps`;

    /** A path to one's own collection of TaskRuns. */
    const runs = async () => runsIn(await api.namespace());
    const create = (path: string, name: string, more: JsonObject = {}, spec: JsonObject = {}) =>
      api.expect(201, 'POST', path, { body: { ...taskRun, metadata: { name, ...more }, spec } });
    const patch = (status: number, path: string, body: JsonObject) =>
      api.expect(status, 'PATCH', path, { body, type: merge });
    const applyAs = (status: number, manager: string, path: string, body: JsonObject, force = false) =>
      api.expect(status, 'PATCH', `${path}?fieldManager=${manager}&force=${force}`, { body, type: apply });

    test('a wrong token is refused with 401, and none with 401 or 403', async () => {
      assert.equal((await api.call('GET', '/api/v1/namespaces', { token: 'wrong' })).status, 401);
      const anonymous = await fetchStatus(`${server.url}/api/v1/namespaces`);
      assert.ok(anonymous === 401 || anonymous === 403, String(anonymous));
    });

    test('discovery names groups, versions and resources, and answers 404 for others', async () => {
      const group = await api.expect(200, 'GET', '/apis/tekton.dev');
      const versions = group['versions'];
      assert.deepEqual(Array.isArray(versions) ? versions.map((entry) => at(entry, 'version')) : [], [
        'v1',
        'v1beta1',
      ]);
      const list = await api.expect(200, 'GET', '/apis/tekton.dev/v1');
      const names = Array.isArray(list['resources'])
        ? list['resources'].map((entry) => text(at(entry, 'name')))
        : [];
      assert.deepEqual(names.toSorted(), [
        'pipelineruns',
        'pipelineruns/status',
        'taskruns',
        'taskruns/status',
      ]);
      await api.expect(404, 'GET', '/apis/none.example');
      await api.expect(404, 'GET', '/apis/tekton.dev/v1/nones');
    });

    test('a created object gets uid, time, version and generation, and no status', async () => {
      const path = await runs();
      const body = { ...taskRun, metadata: { name: 'a', uid: 'mine' }, spec: { a: 1 }, status: { b: 1 } };
      const created = await api.expect(201, 'POST', path, { body });
      assert.match(text(metadata(created, 'uid')), /^[0-9a-f-]{36}$/);
      assert.match(text(metadata(created, 'creationTimestamp')), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      assert.equal(metadata(created, 'generation'), 1);
      assert.equal(created['status'], undefined);
      assert.deepEqual(await api.expect(200, 'GET', `${path}/a`), created);
      const again = await api.expect(409, 'POST', path, { body });
      assert.equal(again['reason'], 'AlreadyExists');
      assert.deepEqual(again['details'], { name: 'a', group: 'tekton.dev', kind: 'taskruns' });
    });

    test('generateName gives each object a name of its own', async () => {
      const path = await runs();
      const body = { ...taskRun, metadata: { generateName: 'run-' } };
      const names = [
        await api.expect(201, 'POST', path, { body }),
        await api.expect(201, 'POST', path, { body }),
      ].map((object) => text(metadata(object, 'name')));
      assert.notEqual(names[0], names[1]);
      for (const name of names) assert.match(name, /^run-[a-z0-9]{5}$/);
    });

    for (const [what, status, body] of [
      ['no name', 422, { ...taskRun, metadata: {} }],
      ['a bad name', 422, { ...taskRun, metadata: { name: 'A_b' } }],
      ['a bad label', 422, { ...taskRun, metadata: { name: 'a', labels: { 'a b': 'c' } } }],
      [
        'a label named __proto__',
        422,
        JSON.stringify({ ...taskRun, metadata: { name: 'a' } }).replace(
          '"name"',
          '"labels":{"__proto__":"x"},"name"',
        ),
      ],
      ['a bad finalizer', 422, { ...taskRun, metadata: { name: 'a', finalizers: ['a b'] } }],
      ['another kind', 422, { ...taskRun, kind: 'PipelineRun', metadata: { name: 'a' } }],
      ['no kind', 400, { metadata: { name: 'a' } }],
      ['another version', 400, { ...taskRun, apiVersion: 'tekton.dev/v1beta1', metadata: { name: 'a' } }],
      ['another namespace', 400, { ...taskRun, metadata: { name: 'a', namespace: 'elsewhere' } }],
      [
        'an annotation that is not a string',
        400,
        { ...taskRun, metadata: { name: 'a', annotations: { a: 1 } } },
      ],
      ['broken JSON', 400, '{"a":'],
      [
        'over 256 KiB of annotations',
        422,
        { ...taskRun, metadata: { name: 'a', annotations: { a: 'x'.repeat(262_144) } } },
      ],
      ['over 1.5 MiB', 500, { ...taskRun, metadata: { name: 'a' }, spec: { a: 'x'.repeat(1_700_000) } }],
      ['over 3 MiB', 413, { ...taskRun, metadata: { name: 'a' }, spec: { a: 'x'.repeat(3_200_000) } }],
    ] as const) {
      test(`a TaskRun with ${what} is refused with ${status}`, async () => {
        const answer = await api.expect(status, 'POST', await runs(), { body });
        assert.equal(answer['kind'], 'Status');
        assert.equal(answer['code'], status);
      });
    }

    test('exactly 256 KiB of annotations fit', async () => {
      const path = await runs();
      await create(path, 'a', { annotations: { a: 'x'.repeat(262_143) } });
    });

    test('nothing is created in a namespace that is not there, or on its way out', async () => {
      await api.expect(404, 'POST', runsIn('nowhere'), { body: { ...taskRun, metadata: { name: 'a' } } });
      const namespace = await api.namespace();
      await create(runsIn(namespace), 'keeps', { finalizers: ['example.com/a'] });
      await api.expect(200, 'DELETE', `/api/v1/namespaces/${namespace}`);
      await api.expect(403, 'POST', runsIn(namespace), { body: { ...taskRun, metadata: { name: 'a' } } });
    });

    test('v1 and v1beta1 are one object', async () => {
      const namespace = await api.namespace();
      await create(runsIn(namespace), 'a', {}, { a: 1 });
      const beta = await api.expect(200, 'GET', `${runsIn(namespace, 'v1beta1')}/a`);
      assert.equal(beta['apiVersion'], 'tekton.dev/v1beta1');
      assert.deepEqual(beta['spec'], { a: 1 });
    });

    test('status is written by its subresource alone, and spec and metadata are not', async () => {
      const path = await runs();
      await create(path, 'a', {}, { a: 1 });
      const main = await patch(200, `${path}/a`, { spec: { a: 2 }, status: { b: 1 } });
      assert.deepEqual([main['status'], metadata(main, 'generation')], [undefined, 2]);
      const body = { metadata: { labels: { a: 'b' } }, spec: { a: 3 }, status: { b: 2 } };
      const sub = await patch(200, `${path}/a/status`, body);
      assert.deepEqual(
        [sub['spec'], sub['status'], metadata(sub, 'labels')],
        [{ a: 2 }, { b: 2 }, undefined],
      );
      assert.equal(metadata(sub, 'generation'), 2);
    });

    test('a PUT needs the current version, and the uid if it names one', async () => {
      const path = await runs();
      const old = await create(path, 'a');
      const now = await patch(200, `${path}/a`, { spec: { a: 1 } });
      const put = (status: number, more: JsonObject, at = 'a') =>
        api.expect(status, 'PUT', `${path}/${at}`, {
          body: { ...taskRun, metadata: { name: at, ...more }, spec: { b: 1 } },
        });
      await put(422, {});
      await put(409, { resourceVersion: versionOf(old) });
      await put(409, { resourceVersion: versionOf(now), uid: 'other' });
      await put(404, { resourceVersion: versionOf(now) }, 'none');
      assert.deepEqual((await put(200, { resourceVersion: versionOf(now) }))['spec'], { b: 1 });
    });

    test('a merge patch merges, removes by null, and keeps the version when nothing changes', async () => {
      const path = await runs();
      await create(path, 'a', { labels: { x: 'y' } }, { a: { b: 1, c: 2 } });
      const changed = await patch(200, `${path}/a`, { spec: { a: { b: null, d: [1] } } });
      assert.deepEqual(changed['spec'], { a: { c: 2, d: [1] } });
      assert.equal(
        versionOf(await patch(200, `${path}/a`, { metadata: { labels: { x: 'y' } } })),
        versionOf(changed),
      );
      await patch(404, `${path}/none`, {});
      await patch(400, `${path}/a`, { metadata: { name: 'b' } });
    });

    test('a patch that names another uid is refused with 422, one for an old version with 409', async () => {
      const path = await runs();
      const old = await create(path, 'a');
      await patch(200, `${path}/a`, { spec: { a: 1 } });
      await patch(422, `${path}/a`, { metadata: { uid: '11111111-1111-1111-1111-111111111111' } });
      await patch(409, `${path}/a`, { metadata: { resourceVersion: versionOf(old) } });
    });

    test('a JSON patch is applied whole or not at all', async () => {
      const path = await runs();
      await create(path, 'a', {}, { a: 1 });
      const call = (status: number, body: readonly JsonObject[] | JsonObject) =>
        api.expect(status, 'PATCH', `${path}/a`, { body, type: json });
      await call(422, [
        { op: 'replace', path: '/spec/a', value: 2 },
        { op: 'test', path: '/spec/a', value: 3 },
      ]);
      await call(422, [{ op: 'remove', path: '/spec/none' }]);
      await call(400, { op: 'remove' });
      assert.deepEqual((await api.expect(200, 'GET', `${path}/a`))['spec'], { a: 1 });
      assert.deepEqual((await call(200, [{ op: 'add', path: '/spec/b', value: [1] }]))['spec'], {
        a: 1,
        b: [1],
      });
    });

    test('keys that objects inherit in JavaScript are data', async () => {
      const path = await runs();
      await create(path, 'a');
      const body =
        '{"spec":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"toString":1}}';
      await api.expect(200, 'PATCH', `${path}/a`, { body, type: merge });
      const operations = [
        { op: 'add', path: '/spec/__proto__/more', value: 2 },
        { op: 'add', path: '/spec/constructor/prototype/more', value: 2 },
      ];
      await api.expect(200, 'PATCH', `${path}/a`, { body: operations, type: json });
      await api.expect(422, 'PATCH', `${path}/a`, {
        body: [{ op: 'add', path: '/spec/valueOf/a', value: 1 }],
        type: json,
      });
      const spec = (await api.expect(200, 'GET', `${path}/a`))['spec'];
      assert.equal(
        JSON.stringify(sortedKeys(spec ?? null)),
        '[["__proto__",[["more",2],["polluted",1]]],["constructor",[["prototype",[["more",2],["polluted",1]]]]],["toString",1]]',
      );
      assert.equal(Reflect.get({}, 'polluted') ?? Reflect.get({}, 'more'), undefined);
    });

    test('a strategic patch merges finalizers by item, and is not for custom kinds', async () => {
      const namespace = await api.namespace();
      await api.expect(201, 'POST', mapsIn(namespace), {
        body: { metadata: { name: 'a' }, data: { x: '1', y: '2' } },
      });
      const call = (status: number, path: string, body: JsonObject) =>
        api.expect(status, 'PATCH', path, { body, type: strategic });
      await call(200, `${mapsIn(namespace)}/a`, {
        data: { x: null },
        metadata: { finalizers: ['example.com/a'] },
      });
      const both = await call(200, `${mapsIn(namespace)}/a`, { metadata: { finalizers: ['example.com/b'] } });
      assert.deepEqual(sorted(metadata(both, 'finalizers')), ['example.com/a', 'example.com/b']);
      assert.deepEqual(both['data'], { y: '2' });
      const gone = { '$deleteFromPrimitiveList/finalizers': ['example.com/a', 'example.com/b'] };
      assert.equal(
        metadata(await call(200, `${mapsIn(namespace)}/a`, { metadata: gone }), 'finalizers'),
        undefined,
      );
      await create(runsIn(namespace), 'a');
      await call(415, `${runsIn(namespace)}/a`, {});
    });

    test('an apply creates, owns what it states, and removes what the next one leaves out', async () => {
      const path = `${await runs()}/a`;
      const body = {
        ...taskRun,
        metadata: { name: 'a', annotations: { x: '1', y: '2' } },
        spec: { l: [1], m: { n: 1 } },
      };
      const created = await applyAs(201, 'me', path, body);
      assert.deepEqual(fieldsOf(created, 'me'), {
        'f:metadata': { 'f:annotations': { 'f:x': {}, 'f:y': {} } },
        'f:spec': { '.': {}, 'f:l': {}, 'f:m': { '.': {}, 'f:n': {} } },
      });
      assert.equal(versionOf(await applyAs(200, 'me', path, body)), versionOf(created));
      await patch(200, path, { metadata: { annotations: { z: '3' } } });
      const less = await applyAs(200, 'me', path, {
        ...taskRun,
        metadata: { name: 'a', annotations: { y: '2' } },
      });
      assert.deepEqual(metadata(less, 'annotations'), { y: '2', z: '3' });
      assert.equal(less['spec'], undefined);
      const none = await applyAs(200, 'me', path, { ...taskRun, metadata: { name: 'a' } });
      assert.deepEqual([metadata(none, 'annotations'), fieldsOf(none, 'me')], [{ z: '3' }, undefined]);
    });

    test('an apply of what somebody else owns is a conflict that names each field, unless forced', async () => {
      const path = `${await runs()}/a`;
      await applyAs(201, 'one', path, {
        ...taskRun,
        metadata: { name: 'a', labels: { x: '1' } },
        spec: { l: [1] },
      });
      const other = { ...taskRun, metadata: { name: 'a', labels: { x: '2' } }, spec: { l: [1, 2] } };
      const refused = await applyAs(409, 'two', path, other);
      assert.deepEqual(reasonsOf(refused).toSorted(), [
        'FieldManagerConflict .metadata.labels.x',
        'FieldManagerConflict .spec.l',
      ]);
      const forced = await applyAs(200, 'two', path, other, true);
      assert.deepEqual([metadata(forced, 'labels'), forced['spec']], [{ x: '2' }, { l: [1, 2] }]);
      assert.deepEqual(at(fieldsOf(forced, 'two'), 'f:metadata'), { 'f:labels': { 'f:x': {} } });
      assert.equal(at(fieldsOf(forced, 'one'), 'f:metadata'), undefined);
      const agreed = await applyAs(200, 'three', path, {
        ...taskRun,
        metadata: { name: 'a', labels: { x: '2' } },
      });
      assert.deepEqual(fieldsOf(agreed, 'three'), { 'f:metadata': { 'f:labels': { 'f:x': {} } } });
    });

    test('an ordinary write takes ownership; what two own stays until both release it', async () => {
      const path = `${await runs()}/a`;
      const body = { ...taskRun, metadata: { name: 'a', annotations: { x: '1' } } };
      await applyAs(201, 'one', path, body);
      await applyAs(200, 'two', path, body);
      const kept = await applyAs(200, 'one', path, { ...taskRun, metadata: { name: 'a' } });
      assert.deepEqual(metadata(kept, 'annotations'), { x: '1' });
      const written = await api.expect(200, 'PATCH', `${path}?fieldManager=three`, {
        body: { metadata: { annotations: { x: '2' } } },
        type: merge,
      });
      assert.deepEqual([fieldsOf(written, 'one'), fieldsOf(written, 'two')], [undefined, undefined]);
      assert.deepEqual(reasonsOf(await applyAs(409, 'two', path, body)), [
        'FieldManagerConflict .metadata.annotations.x',
      ]);
    });

    test('finalizers are a set: each manager adds and releases its own', async () => {
      const path = await runs();
      await create(path, 'a', { finalizers: ['example.com/other'] });
      const both = await applyAs(200, 'me', `${path}/a`, {
        ...taskRun,
        metadata: { name: 'a', finalizers: ['example.com/mine'] },
      });
      assert.deepEqual(metadata(both, 'finalizers'), ['example.com/other', 'example.com/mine']);
      assert.deepEqual(fieldsOf(both, 'me'), {
        'f:metadata': { 'f:finalizers': { 'v:"example.com/mine"': {} } },
      });
      const released = await applyAs(200, 'me', `${path}/a`, { ...taskRun, metadata: { name: 'a' } });
      assert.deepEqual(metadata(released, 'finalizers'), ['example.com/other']);
    });

    test('an apply with the uid of a run that is gone is refused with 409, of another one with 422', async () => {
      const path = await runs();
      const old = await create(path, 'a');
      await api.expect(200, 'DELETE', `${path}/a`);
      const body = { ...taskRun, metadata: { uid: text(metadata(old, 'uid')), annotations: { x: '1' } } };
      await applyAs(409, 'me', `${path}/a`, body, true);
      await api.expect(404, 'GET', `${path}/a`);
      await create(path, 'a');
      await applyAs(422, 'me', `${path}/a`, body, true);
    });

    test('an apply for an old version is refused with 409, for the current one taken', async () => {
      const path = await runs();
      const old = await create(path, 'a');
      const now = await patch(200, `${path}/a`, { spec: { a: 1 } });
      const body = (version: string) => ({
        ...taskRun,
        metadata: { resourceVersion: version, annotations: { x: '1' } },
      });
      await applyAs(409, 'me', `${path}/a`, body(versionOf(old)), true);
      await applyAs(200, 'me', `${path}/a`, body(versionOf(now)), true);
    });

    test('an apply without a manager or kind, or with managedFields, is refused', async () => {
      const path = await runs();
      await create(path, 'a');
      await api.expect(422, 'PATCH', `${path}/a`, { body: taskRun, type: apply });
      await applyAs(400, 'me', `${path}/a`, { metadata: {} });
      await applyAs(400, 'me', `${path}/a`, { ...taskRun, metadata: { managedFields: [{ manager: 'me' }] } });
      await applyAs(400, 'me', `${path}/none`, { ...taskRun, metadata: {} });
    });

    test('the fields of core kinds are owned by their schema', async () => {
      const namespace = await api.namespace();
      const body = { ...configMap, metadata: { name: 'a' }, data: { x: '1' } };
      const applied = await applyAs(201, 'me', `${mapsIn(namespace)}/a`, body);
      assert.deepEqual(fieldsOf(applied, 'me'), { 'f:data': { 'f:x': {} } });
      const created = await api.expect(201, 'POST', `${mapsIn(namespace)}?fieldManager=me`, {
        body: { ...body, metadata: { name: 'b' } },
      });
      assert.deepEqual(fieldsOf(created, 'me'), { 'f:data': { '.': {}, 'f:x': {} } });
    });

    test('without finalizers a deleted object goes at once, with the uid and version asked for only', async () => {
      const path = await runs();
      const object = await create(path, 'a');
      await api.expect(409, 'DELETE', `${path}/a`, { body: { preconditions: { uid: 'other' } } });
      await api.expect(409, 'DELETE', `${path}/a`, { body: { preconditions: { resourceVersion: '1' } } });
      const preconditions = { uid: text(metadata(object, 'uid')), resourceVersion: versionOf(object) };
      assert.equal(
        (await api.expect(200, 'DELETE', `${path}/a`, { body: { preconditions } }))['status'],
        'Success',
      );
      await api.expect(404, 'DELETE', `${path}/a`);
    });

    test('with finalizers it is marked, takes no new ones, and goes with the last, as it was before', async () => {
      const path = await runs();
      const created = await create(path, 'a', { finalizers: ['example.com/a', 'example.com/b'] });
      const watch = await api.watch(`${path}?watch=1&resourceVersion=${versionOf(created)}`);
      const marked = await api.expect(200, 'DELETE', `${path}/a`);
      assert.match(text(metadata(marked, 'deletionTimestamp')), /Z$/);
      assert.equal(versionOf(await api.expect(200, 'DELETE', `${path}/a`)), versionOf(marked));
      await patch(422, `${path}/a`, { metadata: { finalizers: ['example.com/a', 'example.com/c'] } });
      await applyAs(422, 'me', `${path}/a`, {
        ...taskRun,
        metadata: { name: 'a', finalizers: ['example.com/c'] },
      });
      await patch(200, `${path}/a`, { metadata: { finalizers: ['example.com/b'] } });
      const last = await patch(200, `${path}/a`, {
        metadata: { finalizers: null, annotations: { late: 'yes' } },
      });
      assert.deepEqual(metadata(last, 'annotations'), { late: 'yes' });
      await api.expect(404, 'GET', `${path}/a`);
      assert.deepEqual(await watch.names(2), ['MODIFIED a', 'MODIFIED a']);
      const event = await watch.next();
      assert.equal(event?.['type'], 'DELETED');
      assert.equal(at(event, 'object', 'metadata', 'annotations'), undefined);
      assert.deepEqual(at(event, 'object', 'metadata', 'finalizers'), ['example.com/b']);
      assert.ok(Number(at(event, 'object', 'metadata', 'resourceVersion')) > Number(versionOf(last)));
      watch.close();
    });

    test('an apply that leaves out the last finalizer lets a deleted object go, and what it adds is not seen', async () => {
      const path = await runs();
      const mine = { name: 'a', finalizers: ['example.com/mine'] };
      const version = versionOf(await applyAs(201, 'me', `${path}/a`, { ...taskRun, metadata: mine }));
      await api.expect(200, 'DELETE', `${path}/a`);
      const kept = { ...mine, annotations: { kept: 'yes' } };
      await applyAs(200, 'me', `${path}/a`, { ...taskRun, metadata: kept });
      const last = { ...taskRun, metadata: { name: 'a', annotations: { kept: 'yes', late: 'yes' } } };
      await applyAs(200, 'me', `${path}/a`, last);
      await api.expect(404, 'GET', `${path}/a`);
      const watch = await api.watch(`${path}?watch=1&resourceVersion=${version}`);
      assert.deepEqual(await watch.names(2), ['MODIFIED a', 'MODIFIED a']);
      const event = await watch.next();
      assert.equal(event?.['type'], 'DELETED');
      assert.deepEqual(at(event, 'object', 'metadata', 'annotations'), { kept: 'yes' });
      watch.close();
    });

    test('deletecollection deletes what its selector picks', async () => {
      const path = await runs();
      await create(path, 'a', { labels: { x: '1' } });
      await create(path, 'b');
      await api.expect(200, 'DELETE', `${path}?labelSelector=x`);
      assert.deepEqual(namesOf(await api.expect(200, 'GET', path)), ['b']);
    });

    test('a watch reports what happened since a version, in order, and continues from any version it reported', async () => {
      const path = await runs();
      const version = versionOf(await api.expect(200, 'GET', path));
      const watch = await api.watch(`${path}?watch=true&resourceVersion=${version}`);
      await create(path, 'a');
      const second = await create(path, 'b');
      await patch(200, `${path}/a`, { spec: { x: 1 } });
      await api.expect(200, 'DELETE', `${path}/a`);
      assert.deepEqual(await watch.names(4), ['ADDED a', 'ADDED b', 'MODIFIED a', 'DELETED a']);
      watch.close();
      const resumed = await api.watch(`${path}?watch=true&resourceVersion=${versionOf(second)}`);
      assert.deepEqual(await resumed.names(2), ['MODIFIED a', 'DELETED a']);
      resumed.close();
    });

    test('a watch without a version begins with what exists', async () => {
      const path = await runs();
      await create(path, 'a');
      const watch = await api.watch(`${path}?watch=true`);
      await watch.names(1);
      await create(path, 'b');
      assert.deepEqual(await watch.names(1), ['ADDED b']);
      watch.close();
    });

    test('a watch with a selector sees objects come and go as they begin and cease to match', async () => {
      const path = await runs();
      const a = await create(path, 'a', { labels: { x: '1' } });
      const watch = await api.watch(`${path}?watch=true&labelSelector=x&resourceVersion=${versionOf(a)}`);
      await create(path, 'b');
      await patch(200, `${path}/a`, { metadata: { labels: { x: null } } });
      await patch(200, `${path}/b`, { metadata: { labels: { x: '1' } } });
      await patch(200, `${path}/b`, { metadata: { labels: { y: '1' } } });
      assert.deepEqual(await watch.names(3), ['DELETED a', 'ADDED b', 'MODIFIED b']);
      watch.close();
    });

    test('a watch ends when its timeoutSeconds are over', async () => {
      const watch = await api.watch(`${await runs()}?watch=true&timeoutSeconds=1`);
      assert.equal(await watch.next(), undefined);
    });

    test('a watch from a version that is forgotten gets an ERROR event with code 410, and ends', async () => {
      const watch = await api.watch(`${await runs()}?watch=true&resourceVersion=1`);
      const event = await watch.next();
      assert.equal(watch.status, 200);
      assert.deepEqual(
        [event?.['type'], at(event, 'object', 'code'), at(event, 'object', 'reason')],
        ['ERROR', 410, 'Expired'],
      );
      assert.equal(await watch.next(), undefined);
    });

    test('initial events end with a bookmark that says so', async () => {
      const path = await runs();
      const a = await create(path, 'a');
      const query =
        'watch=true&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan';
      const watch = await api.watch(`${path}?${query}`);
      assert.deepEqual(await watch.names(1), ['ADDED a']);
      const bookmark = await watch.next();
      assert.equal(bookmark?.['type'], 'BOOKMARK');
      assert.equal(at(bookmark, 'object', 'kind'), 'TaskRun');
      assert.equal(at(bookmark, 'object', 'metadata', 'annotations', 'k8s.io/initial-events-end'), 'true');
      assert.ok(Number(at(bookmark, 'object', 'metadata', 'resourceVersion')) >= Number(versionOf(a)));
      watch.close();
    });

    test('all pages of a list are of one moment', async () => {
      const path = await runs();
      for (const name of ['a', 'b', 'c', 'd', 'e']) await create(path, name);
      const first = await api.expect(200, 'GET', `${path}?limit=2`);
      assert.deepEqual([namesOf(first), metadata(first, 'remainingItemCount')], [['a', 'b'], 3]);
      await api.expect(200, 'DELETE', `${path}/c`);
      await create(path, 'bb');
      const rest = await api.expect(
        200,
        'GET',
        `${path}?limit=9&continue=${text(metadata(first, 'continue'))}`,
      );
      assert.deepEqual(namesOf(rest), ['c', 'd', 'e']);
      assert.equal(versionOf(rest), versionOf(first));
      assert.equal(metadata(rest, 'continue') || undefined, undefined);
      assert.deepEqual(namesOf(await api.expect(200, 'GET', path)), ['a', 'b', 'bb', 'd', 'e']);
    });

    test('a page is filled with what the selector picks', async () => {
      const path = await runs();
      for (const name of ['a', 'b', 'c', 'd'])
        await create(path, name, { labels: name < 'c' ? { x: '1' } : {} });
      const page = await api.expect(200, 'GET', `${path}?limit=2&labelSelector=!x`);
      assert.deepEqual([namesOf(page), metadata(page, 'continue') || undefined], [['c', 'd'], undefined]);
    });

    for (const [query, status] of [
      ['continue=nonsense', 400],
      ['labelSelector=a%20b', 400],
      ['fieldSelector=spec.a%3D1', 400],
      ['resourceVersion=nonsense', 400],
      ['resourceVersion=99999999', 504],
    ] as const) {
      test(`a list with ${query} is refused with ${status}`, async () => {
        await api.expect(status, 'GET', `${await runs()}?${query}`);
      });
    }

    test('label and field selectors pick', async () => {
      const path = await runs();
      for (const name of ['a', 'b', 'c']) {
        await create(path, name, { labels: { name, ...(name === 'c' ? {} : { half: 'yes' }) } });
      }
      for (const [selector, expected] of [
        ['half', 'ab'],
        ['!half', 'c'],
        ['half=yes', 'ab'],
        ['name==b', 'b'],
        ['half!=yes', 'c'],
        ['name in (a, c)', 'ac'],
        ['half notin (yes,no)', 'c'],
        ['half=yes,name!=a', 'b'],
        ['half notin (yes),name in (a,b,c)', 'c'],
      ] as const) {
        const list = await api.expect(200, 'GET', `${path}?labelSelector=${encodeURIComponent(selector)}`);
        assert.equal(namesOf(list).join(''), expected, selector);
      }
      const named = await api.expect(200, 'GET', `${path}?fieldSelector=metadata.name%3Db`);
      assert.deepEqual(namesOf(named), ['b']);
    });

    test('objects and lists come as metadata alone, or as a table', async () => {
      const path = await runs();
      await create(path, 'a', { labels: { x: '1' } }, { a: 1 });
      const one = await api.expect(200, 'GET', `${path}/a`, { accept: as('PartialObjectMetadata') });
      assert.deepEqual(
        [one['kind'], one['spec'], metadata(one, 'labels')],
        ['PartialObjectMetadata', undefined, { x: '1' }],
      );
      const many = await api.expect(200, 'GET', path, { accept: as('PartialObjectMetadataList') });
      assert.equal(many['kind'], 'PartialObjectMetadataList');
      assert.deepEqual(namesOf(many), ['a']);
      const status = { conditions: [{ type: 'Succeeded', status: 'True', reason: 'Succeeded' }] };
      await patch(200, `${path}/a/status`, { status });
      const table = await api.expect(200, 'GET', path, { accept: as('Table') });
      const [columns, rows] = [table['columnDefinitions'], table['rows']];
      assert.deepEqual(Array.isArray(columns) ? columns.map((column) => at(column, 'name')) : [], [
        'Name',
        'Succeeded',
        'Reason',
        'StartTime',
        'CompletionTime',
      ]);
      const [row] = Array.isArray(rows) ? rows : [];
      assert.deepEqual(at(row, 'cells'), ['a', 'True', 'Succeeded', null, null]);
      assert.equal(at(row, 'object', 'kind'), 'PartialObjectMetadata');
      await api.expect(406, 'GET', path, { accept: 'text/html' });
      await api.expect(406, 'GET', path, { accept: as('PartialObjectMetadata') });
    });

    test('an apply can answer with metadata alone', async () => {
      const path = await runs();
      const body = { ...taskRun, metadata: { name: 'a' }, spec: { a: 1 } };
      const accept = as('PartialObjectMetadata');
      const answer = await api.expect(201, 'PATCH', `${path}/a?fieldManager=me`, {
        body,
        type: apply,
        accept,
      });
      assert.deepEqual([answer['kind'], answer['spec']], ['PartialObjectMetadata', undefined]);
    });

    test('only the items of custom kinds name their kind in a list', async () => {
      const namespace = await api.namespace();
      await create(runsIn(namespace), 'a');
      await api.expect(201, 'POST', mapsIn(namespace), { body: { metadata: { name: 'a' } } });
      const kind = async (path: string) => at(itemsOf(await api.expect(200, 'GET', path))[0], 'kind');
      assert.deepEqual(
        [await kind(runsIn(namespace)), await kind(mapsIn(namespace))],
        ['TaskRun', undefined],
      );
    });

    test('a Secret keeps base64, takes plain text, and refuses what is neither', async () => {
      const path = `/api/v1/namespaces/${await api.namespace()}/secrets`;
      const created = await api.expect(201, 'POST', path, {
        body: { metadata: { name: 'a' }, data: { x: 'MQ==' }, stringData: { y: '2' } },
      });
      assert.deepEqual(
        [created['data'], created['type'], created['stringData']],
        [{ x: 'MQ==', y: 'Mg==' }, 'Opaque', undefined],
      );
      await api.expect(400, 'POST', path, { body: { metadata: { name: 'b' }, data: { x: '?' } } });
      await api.expect(422, 'POST', path, { body: { metadata: { name: 'b' }, data: { 'x/y': 'MQ==' } } });
    });

    test('a ConfigMap takes strings only, 1 MiB of them, and unknown fields not in strict mode', async () => {
      const path = mapsIn(await api.namespace());
      await api.expect(400, 'POST', path, { body: { metadata: { name: 'a' }, data: { x: 1 } } });
      await api.expect(422, 'POST', path, {
        body: { metadata: { name: 'a' }, data: { x: 'x'.repeat(1_100_000) } },
      });
      const body = { metadata: { name: 'a' }, nonsense: 1 };
      await api.expect(400, 'POST', `${path}?fieldValidation=Strict`, { body });
      assert.equal((await api.expect(201, 'POST', path, { body }))['nonsense'], undefined);
    });

    test('Events are found by the object they are about', async () => {
      const namespace = await api.namespace();
      const path = `/api/v1/namespaces/${namespace}/events`;
      const about = { kind: 'TaskRun', namespace, name: 'a', uid: 'u' };
      const event = { involvedObject: about, reason: 'Signed', message: 'm', type: 'Normal' };
      await api.expect(201, 'POST', path, { body: { metadata: { name: 'a' }, ...event } });
      await api.expect(201, 'POST', path, {
        body: { metadata: { name: 'b' }, ...event, involvedObject: { ...about, name: 'b' } },
      });
      const selector = 'involvedObject.name=b,involvedObject.kind=TaskRun,involvedObject.uid=u';
      const found = await api.expect(200, 'GET', `${path}?fieldSelector=${encodeURIComponent(selector)}`);
      assert.deepEqual(namesOf(found), ['b']);
      const elsewhere = { ...about, namespace: 'elsewhere' };
      await api.expect(422, 'POST', path, {
        body: { metadata: { name: 'c' }, ...event, involvedObject: elsewhere },
      });
    });

    test('a Lease is created by PUT and then updated with its version only', async () => {
      const path = `/apis/coordination.k8s.io/v1/namespaces/${await api.namespace()}/leases/a`;
      const put = (status: number, more: JsonObject) =>
        api.expect(status, 'PUT', path, {
          body: { metadata: { name: 'a', ...more }, spec: { holderIdentity: 'me' } },
        });
      const lease = await put(201, {});
      await put(422, {});
      await put(200, { resourceVersion: versionOf(lease) });
    });

    test('a dry run changes nothing', async () => {
      const path = await runs();
      await api.expect(201, 'POST', `${path}?dryRun=All`, { body: { ...taskRun, metadata: { name: 'a' } } });
      await api.expect(404, 'GET', `${path}/a`);
    });
  });
}

async function fetchStatus(url: string): Promise<number> {
  const { Agent, request } = await import('undici');
  const dispatcher = new Agent({ connect: { rejectUnauthorized: false } });
  const { statusCode, body } = await request(url, { dispatcher });
  await body.dump();
  await dispatcher.close();
  return statusCode;
}

function fieldsOf(object: JsonObject, manager: string): Json | undefined {
  const entries = metadata(object, 'managedFields');
  const entry = Array.isArray(entries)
    ? entries.find((candidate) => at(candidate, 'manager') === manager)
    : undefined;
  return at(entry, 'fieldsV1');
}

function sortedKeys(value: Json): Json {
  if (!isJsonObject(value)) return value;
  return Object.entries(value)
    .map(([key, child]) => [key, sortedKeys(child ?? null)])
    .toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

function sorted(list: Json | undefined): readonly string[] {
  return Array.isArray(list) ? list.map((entry) => text(entry)).toSorted() : [];
}
