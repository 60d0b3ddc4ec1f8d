import assert from 'node:assert/strict';
import { it } from 'node:test';
import { verify } from '../../src/index.ts';
import { at, type Json, type JsonObject, parseJson } from '../../src/json.ts';
import {
  doneStatus,
  eventually,
  itemsAt,
  mark,
  openWorld,
  type RunParts,
  type TestCluster,
  taskRuns,
  type World,
} from './world.ts';

/** How a mangled run has to end. */
type Ending =
  | { readonly signed: 'true'; readonly message?: RegExp }
  | { readonly signed: 'failed'; readonly message: RegExp }
  | { readonly event: RegExp }
  | 'held';

interface Mangled {
  readonly parts: RunParts;
  readonly ending: Ending;
}

const digest = `sha256:${'b2'.repeat(32)}`;
const done = (more: JsonObject): RunParts => ({ status: { ...doneStatus, ...more } });
const results = (value: Json): RunParts => done({ results: value });
const image = (url: string, imageDigest: string): RunParts =>
  results([
    { name: 'IMAGE_URL', type: 'string', value: url },
    { name: 'IMAGE_DIGEST', type: 'string', value: imageDigest },
  ]);

/** Own keys, which an object literal would take for the prototype. */
const prototypeKeys: JsonObject = Object(
  parseJson(
    '{"__proto__":{"type":"Succeeded","status":"True"},"constructor":{"prototype":1},"toString":"x","hasOwnProperty":null}',
  ),
);

const signed = { signed: 'true' } as const;

/** What a run can be mangled to, and how it has to end; every run that is done and can be read is signed. */
const manglings: readonly Mangled[] = [
  { parts: {}, ending: 'held' },
  { parts: { status: {} }, ending: 'held' },
  { parts: { status: { conditions: [] } }, ending: 'held' },
  {
    parts: { status: { conditions: [null, 7, 'Succeeded', [], { type: 'Ready', status: 'True' }] } },
    ending: 'held',
  },
  { parts: { status: { conditions: [{ type: 'Succeeded' }] } }, ending: 'held' },
  { parts: { status: { conditions: [{ type: 'Succeeded', status: 'true' }] } }, ending: 'held' },
  { parts: { status: prototypeKeys }, ending: 'held' },
  { parts: { status: 'done' }, ending: { event: /status is not an object/ } },
  { parts: { status: [doneStatus] }, ending: { event: /status is not an object/ } },
  { parts: { status: { conditions: 'done' } }, ending: { event: /status\.conditions is not a list/ } },
  {
    parts: { status: { conditions: { type: 'Succeeded' } } },
    ending: { event: /status\.conditions is not a list/ },
  },
  {
    parts: { status: { conditions: [{ type: 'Succeeded', status: true }] } },
    ending: { event: /status\.conditions\[0\]\.status is not a string/ },
  },
  { parts: results('none'), ending: { signed: 'failed', message: /status\.results/ } },
  { parts: results(7), ending: { signed: 'failed', message: /status\.results/ } },
  { parts: results({ name: 'IMAGE_URL' }), ending: { signed: 'failed', message: /status\.results/ } },
  {
    parts: image('registry.example/app', 'sha256:short'),
    ending: { signed: 'true', message: /status\.results/ },
  },
  {
    parts: image('registry.example/App', digest),
    ending: { signed: 'true', message: /status\.results/ },
  },
  { parts: image('a:@/@', `${digest},`), ending: { signed: 'true', message: /status\.results/ } },
  {
    parts: image('registry.example/\u202eppa\u0000', digest),
    ending: { signed: 'true', message: /status\.results/ },
  },
  { parts: image('registry.example/app', digest), ending: signed },
  {
    parts: results([{ name: 'odd', type: 'string', value: '👩‍👩‍👧 \ud800 \u0000 \u2028 ﷽ é' }]),
    ending: signed,
  },
  { parts: results([{ name: '__proto__', type: 'string', value: 'constructor' }]), ending: signed },
  { parts: done({ ...prototypeKeys, taskSpec: prototypeKeys }), ending: signed },
  { parts: { ...done({}), spec: prototypeKeys }, ending: signed },
  {
    parts: { ...done({}), metadata: { annotations: { a__proto__b: 'y', constructor: 'z' } } },
    ending: signed,
  },
  { parts: results([{ name: 'long', type: 'string', value: 'x'.repeat(60_000) }]), ending: signed },
];

/** Larger than what fits into annotations; the second is larger than what etcd takes, where there is one. */
const oversized = [1_000_000, 2_000_000];

/** Mangled runs, each kind several times and with sound ones among them, pass a controller on any cluster. */
export function mangledSuite(name: string, start: () => Promise<TestCluster>, runs: number): void {
  it(`${runs} mangled runs on ${name}: each bad one gets a reason, every other one is signed`, {
    timeout: 300_000,
  }, async (test) => {
    const world = await openWorld(await start());
    test.after(() => world.close());
    await world.configure({ 'artifacts.oci.storage': 'tekton', 'signing.deletion-grace': '2s' });
    await world.startController({ log: quiet });
    const writers = Array.from({ length: 16 }, async (_, first) => {
      for (let index = first; index < runs; index += 16) {
        await world.createRun(`mangled-${index}`, mangling(index).parts);
        if (index % 4 === 0) await world.createRun(`sound-${index}`, { status: doneStatus });
      }
    });
    await Promise.all(writers);
    const taken = await createOversized(world);

    let waitsFor = '';
    const [now, events] = await eventually(
      () => `the ending of ${waitsFor}`,
      async () => {
        const [all, reasons] = [await objectsByName(world, taskRuns), await unreadableEvents(world)];
        const open = [...all].find(([key, run]) => !isEnded(key, run, reasons));
        waitsFor = JSON.stringify(open)?.slice(0, 2_000) ?? '';
        return open === undefined ? ([all, reasons] as const) : undefined;
      },
      60_000,
    );

    for (let index = 0; index < runs; index += 1) {
      await assertEnding(
        world,
        now.get(`mangled-${index}`),
        mangling(index).ending,
        events,
        `mangled-${index}`,
      );
      if (index % 4 === 0)
        await assertEnding(world, now.get(`sound-${index}`), signed, events, `sound-${index}`);
    }
    assert.ok(taken.length > 0, 'the API server took none of the oversized runs');
    for (const key of taken)
      await assertEnding(world, now.get(key), { signed: 'failed', message: /262144/ }, events, key);
  });
}

const quiet = { debug() {}, info() {}, warn() {}, error() {}, with: () => quiet };

function mangling(index: number): Mangled {
  const found = manglings[index % manglings.length];
  assert.ok(found !== undefined);
  return found;
}

/** The names of those that the API server took. */
async function createOversized(world: World): Promise<readonly string[]> {
  const taken: string[] = [];
  for (const size of oversized) {
    const value = 'x'.repeat(size);
    const key = `oversized-${size}`;
    const created = await world
      .createRun(key, { status: { ...doneStatus, results: [{ name: 'log', type: 'string', value }] } })
      .then(() => true)
      .catch(async (error: unknown) => {
        assert.match(String(error), /413|too large|limit is/i);
        await world.call('DELETE', `${taskRuns}/${key}`);
        return false;
      });
    if (created) taken.push(key);
  }
  return taken;
}

function isEnded(key: string, run: JsonObject, reasons: ReadonlyMap<string, string>): boolean {
  const ending = key.startsWith('mangled-') ? mangling(Number(key.slice('mangled-'.length))).ending : signed;
  if (ending === 'held') return at(run, 'metadata', 'finalizers') !== undefined;
  if ('event' in ending) return reasons.has(key);
  return (mark(run, 'signed') ?? '') !== '';
}

async function assertEnding(
  world: World,
  run: JsonObject | undefined,
  ending: Ending,
  events: ReadonlyMap<string, string>,
  key: string,
): Promise<void> {
  if (ending === 'held') {
    assert.deepEqual(at(run, 'metadata', 'finalizers'), ['chains.tekton.dev/taskrun'], key);
    assert.equal(mark(run, 'signed'), undefined, key);
    return;
  }
  if ('event' in ending) {
    assert.match(events.get(key) ?? '', ending.event, key);
    assert.equal(mark(run, 'signed'), undefined, key);
    return;
  }
  assert.equal(mark(run, 'signed'), ending.signed, `${key}: ${mark(run, 'message')}`);
  assert.match(mark(run, 'message') ?? '', ending.message ?? /^$/, key);
  assert.equal(at(run, 'metadata', 'finalizers'), undefined, key);
  if (ending.signed === 'failed') return;
  const { verified, checks } = await verify({ run, keys: [world.publicKey] });
  assert.ok(verified, `${key}: ${JSON.stringify(checks)}`);
}

async function objectsByName(world: World, path: string): Promise<ReadonlyMap<string, JsonObject>> {
  const items = await itemsAt(world, path);
  return new Map(items.map((item) => [String(at(item, 'metadata', 'name')), Object(item)]));
}

/** The messages of the Events `Unreadable`, by the run that they are about. */
async function unreadableEvents(world: World): Promise<ReadonlyMap<string, string>> {
  const events = await itemsAt(world, '/api/v1/namespaces/default/events');
  return new Map(
    events
      .filter((event) => at(event, 'reason') === 'Unreadable')
      .map((event) => [String(at(event, 'involvedObject', 'name')), String(at(event, 'message'))]),
  );
}
