import { CommanderError } from 'commander';
import { closest } from '../../config/closest.ts';
import { unknownKeys } from '../../config/parse.ts';
import { ChainsError, type ErrorCode, reasonOf } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import { visible } from '../../text.ts';
import { paintFor, plain, wrap } from './layout.ts';

/** Codes of errors that the caller has to fix: exit code 2. */
const usage: readonly ErrorCode[] = ['USAGE', 'CONFIG_INVALID', 'CONNECTION_INVALID', 'RUN_UNREADABLE'];

/** An error for stderr: one line in a pipe; on a terminal the word in red, and 100 columns wide. */
export function errorText(message: string): string {
  return `${paintFor(process.stderr).bad('error:')}${laidOut('error: ', message).slice('error:'.length)}\n`;
}

/** A warning for stderr, laid out like an error. */
export function warningText(message: string): string {
  return `${laidOut('warning: ', message)}\n`;
}

/** Warns of the keys of a configuration that aren't known. */
export function warnOfUnknownKeys(config: JsonObject): void {
  for (const warning of unknownKeys(config)) process.stderr.write(warningText(warning));
}

/** What to do about an error, for stderr below it. */
export function hintText(hint: string): string {
  return `${laidOut('hint: ', hint, paintFor(process.stderr).dim)}\n`;
}

function laidOut(first: string, text: string, paint = plain.dim): string {
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
  // The argument parser has already printed what is wrong.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  write(errorText(reasonOf(error)));
  if (!(error instanceof ChainsError)) return 1;
  if (error.hint !== undefined) write(hintText(error.hint));
  if (error.code === 'SIGNATURE_INVALID') return 3;
  return usage.includes(error.code) ? 2 : 1;
}

/** Reports several errors, and gives the exit code of the first one, or 0 without any. */
export function reportAll(errors: readonly unknown[]): number {
  const [first = 0] = errors.map((error) => report(error));
  return first;
}

/**
 * The argument parser's message about an unknown flag, command or choice, as one line, with a hint: the word that was most
 * likely meant, or where to read on.
 * @param command the command line so far: `chains verify`
 */
export function parserErrorText(text: string, command: string): string {
  const [message = '', advice = ''] = text.split('(Did you mean ');
  const [, suggested] = /^(?:one of )?([^?]*)\?\)/.exec(advice) ?? [];
  const error = message.replace(/\s+/g, ' ').trim();
  const [given = '', choices = ''] = error.split('. Allowed choices are ');
  const [, word = ''] = /(?:argument|value) '([^']*)' is invalid/.exec(given) ?? [];
  const meant = suggested ?? closest(word, choices.replace(/\.$/, '').split(', '));
  const hint = meant === undefined ? `${command} --help shows what it takes` : `did you mean ${meant}?`;
  return errorText(error.replace(/^error: /, '')) + hintText(hint);
}
