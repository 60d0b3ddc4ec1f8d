import type { DestinationStream, Logger } from 'pino';
import { ChainsError, reasonOf } from '../errors.ts';
import { isJsonObject, parseJson } from '../json.ts';
import type { Run } from '../model/run.ts';
import { plainText } from './text.ts';

const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** The lowest level that is logged. */
export type LogLevel = (typeof levels)[number];

/** The fields of a record in addition to its message; an error becomes its code and reason. */
export type LogFields = Readonly<Record<string, unknown>>;

/** The log of the program: each call writes one record, on one line. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A log that adds these fields to every record. */
  with(fields: LogFields): Log;
}

/** How {@link openLog} writes. */
export interface LogOptions {
  readonly level?: LogLevel;
  /** Lines for people instead of JSON; by default when the standard error is a terminal. */
  readonly readable?: boolean;
  /** Writes a line, which ends in a line break; to the standard error by default. */
  readonly write?: (line: string) => void;
}

/**
 * Opens the log: JSON lines on the standard error, or readable lines where that is a terminal.
 * The logging library is loaded here and not before.
 */
export async function openLog(options: LogOptions = {}): Promise<Log> {
  const { pino } = await import('pino');
  const level = options.level ?? 'info';
  const readable = options.readable ?? (options.write === undefined && process.stderr.isTTY);
  const lines: DestinationStream =
    options.write === undefined ? pino.destination({ dest: 2, sync: true }) : { write: options.write };
  const destination = readable ? { write: (line: string) => lines.write(readableLine(line)) } : lines;
  const settings = {
    level,
    messageKey: 'message',
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return wrap(pino(settings, destination), level === 'debug' || level === 'trace', {});
}

/**
 * The level in the environment's `LOG_LEVEL`; `info` when it is unset or empty.
 * @throws ChainsError USAGE when there is no such level.
 */
export function logLevel(environment: NodeJS.ProcessEnv = process.env): LogLevel {
  const name = environment['LOG_LEVEL'] || 'info';
  const level = levels.find((known) => known === name.toLowerCase());
  if (level !== undefined) return level;
  throw new ChainsError('USAGE', `LOG_LEVEL is "${plainText(name, 40)}": use one of ${levels.join(', ')}`);
}

/** The fields that say which run a record is about. */
export function runFields(run: Pick<Run, 'kind' | 'namespace' | 'name' | 'uid'>): LogFields {
  return { kind: run.kind, namespace: run.namespace, name: run.name, uid: run.uid };
}

function wrap(logger: Logger, stacks: boolean, always: LogFields): Log {
  const write = (level: 'debug' | 'info' | 'warn' | 'error') => (message: string, fields?: LogFields) => {
    if (logger.isLevelEnabled(level))
      logger[level](record({ ...always, ...fields }, stacks), plainText(message));
  };
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    with: (fields) => wrap(logger, stacks, { ...always, ...fields }),
  };
}

const secretField = /(token|password|passphrase|secret|authorization|cookie|credentials?|private-?key)$/i;
const mostFields = 30;
const deepest = 3;

function record(fields: LogFields, stacks: boolean): LogFields {
  const known = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    known.slice(0, mostFields).map(([name, value]) => [name, field(name, value, stacks)]),
  );
}

function field(name: string, value: unknown, stacks: boolean): unknown {
  if (value instanceof Error) return shownError(value, stacks);
  const plain = shown(name, value, 0);
  if (typeof plain !== 'object') return plain;
  const text = JSON.stringify(plain);
  return text.length > 1_000 ? plainText(text, 1_000) : plain;
}

/** A value as bounded JSON without secrets; circular references are cut off by the depth. */
function shown(name: string, value: unknown, depth: number): unknown {
  if (secretField.test(name)) return '[redacted]';
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return value;
  if (value instanceof Error) return plainText(reasonOf(value), 500);
  if (value instanceof Date || typeof value !== 'object') return plainText(String(value), 500);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (depth === deepest) return '[…]';
  if (Array.isArray(value)) return value.slice(0, mostFields).map((entry) => shown('', entry, depth + 1));
  const entries = Object.entries(value).slice(0, mostFields);
  return Object.fromEntries(
    entries.map(([key, entry]) => [plainText(key, 100), shown(key, entry, depth + 1)]),
  );
}

function shownError(error: Error, stacks: boolean): LogFields {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  const stack = stacks && error.stack !== undefined ? { stack: plainText(error.stack) } : {};
  return { code: plainText(code, 100), reason: plainText(reasonOf(error)), ...stack };
}

/** A JSON line of the log as people read it: time, level, message, then the fields. */
function readableLine(line: string): string {
  const record = parseJson(line);
  const { time, level, message, ...fields } = isJsonObject(record) ? record : {};
  const rest = Object.entries(fields).map(([name, value]) => {
    return `${name}=${typeof value === 'string' && /^[\w./:@-]+$/.test(value) ? value : JSON.stringify(value)}`;
  });
  const clock = String(time).slice(11, 19);
  return `${[clock, String(level).toUpperCase().padEnd(5), String(message), ...rest].join(' ')}\n`;
}
