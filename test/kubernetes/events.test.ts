import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { recordEvent } from '../../src/kubernetes/events.ts';
import { at, type Json } from '../../src/json.ts';
import { answer, bodyOf, refuse, restOf, serve } from './servers.ts';

const run = { apiVersion: 'tekton.dev/v1', kind: 'TaskRun', namespace: 'team', name: 'build', uid: 'u-1' };
const failed = { type: 'Warning', reason: 'SigningFailed', message: 'no key' } as const;

/** A server that keeps Events by name, as the real one does. */
async function eventServer(test: TestContext) {
  const kept = new Map<Json | undefined, unknown>();
  const paths: string[] = [];
  const server = await serve(test, async (request, response) => {
    const event: unknown = JSON.parse(await bodyOf(request));
    const name = at(event, 'metadata', 'name');
    paths.push(new URL(request.url ?? '', 'http://x').pathname);
    if (kept.has(name)) return refuse(response, 409, 'already exists');
    kept.set(name, event);
    return answer(response, event, 201);
  });
  return { rest: await restOf(test, server), kept, paths };
}

test('an Event is written next to its object, in the form of core/v1', async (t) => {
  const { rest, kept, paths } = await eventServer(t);
  await recordEvent(rest, run, failed, undefined, new Date('2026-01-02T03:04:05.678Z'));
  const [[name, event] = []] = kept;
  assert.match(String(name), /^build\.[0-9a-f]{16}$/);
  assert.deepEqual(paths, ['/api/v1/namespaces/team/events']);
  assert.deepEqual(event, {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name, namespace: 'team' },
    involvedObject: run,
    ...failed,
    source: { component: 'tekton-chains-controller' },
    firstTimestamp: '2026-01-02T03:04:05Z',
    lastTimestamp: '2026-01-02T03:04:05Z',
    count: 1,
  });
});

test('the same Event is kept once; another reason, message or uid is another Event', async (t) => {
  const { rest, kept, paths } = await eventServer(t);
  await recordEvent(rest, run, failed);
  await recordEvent(rest, run, failed);
  assert.deepEqual([kept.size, paths.length], [1, 2]);
  await recordEvent(rest, run, { ...failed, reason: 'NotSigned' });
  await recordEvent(rest, run, { ...failed, message: 'other' });
  await recordEvent(rest, { ...run, uid: 'u-2' }, failed);
  assert.equal(kept.size, 4);
});

test('an Event about a cluster-scoped object is in the namespace default', async (t) => {
  const { rest, kept, paths } = await eventServer(t);
  await recordEvent(rest, { apiVersion: 'v1', kind: 'Namespace', namespace: '', name: 'team' }, failed);
  assert.deepEqual(paths, ['/api/v1/namespaces/default/events']);
  const [event] = kept.values();
  assert.deepEqual(at(event, 'involvedObject'), { apiVersion: 'v1', kind: 'Namespace', name: 'team' });
});

test('a message has at most 1,024 bytes of UTF-8 and ends with a whole character', async (t) => {
  const { rest, kept } = await eventServer(t);
  await recordEvent(rest, run, { ...failed, message: `a${'🎉'.repeat(1_000)}\ud800` });
  const message = String(at([...kept.values()][0], 'message'));
  assert.ok(Buffer.byteLength(message) <= 1_024 && Buffer.byteLength(message) > 1_016);
  assert.ok(message.isWellFormed() && message.endsWith('🎉…'));
});

test('a name of any length gives a valid Event name', async (t) => {
  const { rest, kept } = await eventServer(t);
  await recordEvent(rest, { ...run, name: `${'a'.repeat(235)}.${'b'.repeat(17)}` }, failed);
  const [name] = kept.keys();
  assert.match(String(name), /^a{235}\.[0-9a-f]{16}$/);
});

test('any other refusal is an error', async (t) => {
  const server = await serve(t, (_, response) => refuse(response, 403, 'forbidden'));
  await assert.rejects(recordEvent(await restOf(t, server), run, failed), { code: 'CLUSTER_REFUSED' });
});
