import { CommanderError } from 'commander';
import { unknownKeys } from '../../config/parse.ts';
import { ChainsError, type ErrorCode, reasonOf } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import { paintFor } from './paint.ts';
import { visible } from '../../text.ts';
import { wrap } from './wrap.ts';

/** Codes that are the caller's to fix: exit code 2. */
const usage: readonly ErrorCode[] = ['USAGE', 'CONFIG_INVALID', 'CONNECTION_INVALID', 'RUN_UNREADABLE'];

/** An error as it goes to stderr: one line for whatever reads a pipe; on a terminal red, and 100 columns wide. */
export function errorText(message: string): string {
  return `${paintFor(process.stderr).bad('error:')}${laidOut('error: ', message).slice('error:'.length)}\n`;
}

/** A warning as it is written to stderr: one line, like an error. */
export function warningText(message: string): string {
  return `${laidOut('warning: ', message)}\n`;
}

/** Warns of the keys of a configuration that aren't known. */
export function warnOfKeys(config: JsonObject): void {
  for (const warning of unknownKeys(config)) process.stderr.write(warningText(warning));
}

/** What to do about it, as it goes to stderr below the error. */
export function hintText(hint: string): string {
  return `${laidOut('hint: ', hint, paintFor(process.stderr).dim)}\n`;
}

function laidOut(first: string, text: string, paint = (same: string) => same): string {
  return process.stderr.isTTY ? wrap(first, text, 2, paint) : first + paint(visible(text));
}

/**
 * Writes an error to stderr, one line and then a hint, and gives the exit code: 1 failed, 2 wrong usage or input, 3
 * verification failed (behaviour.md, "The command").
 */
export function report(
  error: unknown,
  write: (text: string) => void = (text) => process.stderr.write(text),
): number {
  // The argument parser has already said what is wrong.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  write(errorText(reasonOf(error)));
  if (!(error instanceof ChainsError)) return 1;
  if (error.hint !== undefined) write(hintText(error.hint));
  if (error.code === 'SIGNATURE_INVALID') return 3;
  return usage.includes(error.code) ? 2 : 1;
}

/** Reports each of several errors, and gives the exit code: that of the first, 0 when there is none. */
export function reportAll(errors: readonly unknown[]): number {
  const [first = 0] = errors.map((error) => report(error));
  return first;
}
