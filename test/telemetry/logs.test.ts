import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { ChainsError } from '../../src/errors.ts';
import { type LogOptions, logLevel, openLog, runFields } from '../../src/telemetry/logs.ts';

async function opened(options: LogOptions = {}) {
  const lines: string[] = [];
  const log = await openLog({ ...options, write: (line) => lines.push(line) });
  return { log, lines, record: (index = 0) => JSON.parse(lines[index] ?? '') };
}

test('a record is one line of JSON with time, level, message and the fields of its run', async () => {
  const { log, record } = await opened();
  const run = { kind: 'TaskRun', namespace: 'team', name: 'build', uid: 'u-1' } as const;
  log.with(runFields(run)).info('signed', { milliseconds: 12 });
  const { time, ...rest } = record();
  assert.match(time, /^\d{4}-\d\d-\d\dT.*Z$/);
  assert.deepEqual(rest, { level: 'info', message: 'signed', ...run, milliseconds: 12 });
});

test('an error is its code and reason, without a stack', async () => {
  const { log, record } = await opened();
  log.error('a store failed', {
    error: new ChainsError('CLUSTER_REFUSED', 'no such namespace', { status: 404 }),
  });
  assert.deepEqual(record().error, { code: 'CLUSTER_REFUSED', reason: 'no such namespace' });
});

test('at the level debug an error has its stack', async () => {
  const { log, record } = await opened({ level: 'debug' });
  log.debug('odd', { error: new TypeError('x is not a function') });
  assert.match(record().error.stack, /logs\.test\.ts/);
});

test('secrets do not get into the log', async () => {
  const { log, lines } = await opened();
  const key = '-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----';
  log.warn(`refused: Authorization: Bearer hunter2, mongodb://me:hunter2@db/x, ${key}`, {
    token: 'hunter2',
    'cosign.password': 'hunter2',
    error: new Error('Bearer hunter2'),
    headers: [{ authorization: 'hunter2' }],
    url: 'https://example.com/?access_token=hunter2',
  });
  assert.equal(lines.length, 1);
  assert.doesNotMatch(lines[0] ?? '', /hunter2/);
});

test('a line stays one bounded line whatever a run is called', async () => {
  for (const readable of [false, true]) {
    const { log, lines } = await opened({ readable });
    const name = `\u001b[31m\n\u0000\u2028\ud800${'x'.repeat(3_000_000)}`;
    log.info(name, { ...runFields({ kind: 'TaskRun', namespace: name, name, uid: name }), list: [name] });
    assert.equal(lines.length, 1);
    assert((lines[0] ?? '').length < 6_000);
    assert.doesNotMatch((lines[0] ?? '').slice(0, -1), /[\p{Cc}\u2028]/u);
  }
});

test('values of any kind can be logged, and large ones are cut', async () => {
  const { log, lines, record } = await opened();
  const circle: Record<string, unknown> = {
    big: 10n,
    bytes: new Uint8Array(2_000_000),
    at: new Date(Number.NaN),
  };
  circle['self'] = circle;
  log.info('odd', {
    circle,
    symbol: Symbol('s'),
    list: Array.from({ length: 9_999 }, () => 'x'.repeat(900)),
  });
  assert.equal(record().circle.big, '10');
  assert.equal(record().circle.bytes, '[2000000 bytes]');
  assert((lines[0] ?? '').length < 4_000);
});

test('on a terminal a record is a readable line', async () => {
  const { log, lines } = await opened({ readable: true });
  log.warn('later', { name: 'build', reason: 'two words', error: new ChainsError('KEY_INVALID', 'no key') });
  assert.match(
    lines[0] ?? '',
    /^\d\d:\d\d:\d\d WARN {2}later name=build reason="two words" error=\{"code":"KEY_INVALID","reason":"no key"\}\n$/,
  );
});

test('the level decides what is written', async () => {
  const { log, lines } = await opened({ level: 'warn' });
  log.info('no');
  log.warn('yes');
  assert.equal(lines.length, 1);
});

test('LOG_LEVEL is info when unset, and a level that does not exist is named', () => {
  assert.equal(logLevel({}), 'info');
  assert.equal(logLevel({ LOG_LEVEL: 'DEBUG' }), 'debug');
  assert.throws(() => logLevel({ LOG_LEVEL: 'loud' }), {
    code: 'USAGE',
    message: /LOG_LEVEL is "loud": use one of/,
  });
});

test('a process that ends at once has written its records to the standard error', () => {
  const logs = new URL('../../src/telemetry/logs.ts', import.meta.url);
  const program = `import { openLog } from '${logs.href}'; (await openLog()).info('last words'); process.exit(0);`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
  });
  assert.equal(stdout, '');
  assert.equal(JSON.parse(stderr).message, 'last words');
});
