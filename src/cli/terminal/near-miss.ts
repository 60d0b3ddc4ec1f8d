import { closest } from '../../config/closest.ts';

/** An error of the argument parser as it is printed. */
export interface UsageError {
  /** One line. */
  readonly error: string;
  /** One line: the word that was most likely meant, else where to read on. */
  readonly hint: string;
}

/**
 * Reads the parser's message about a flag, command or choice that there isn't.
 * @param command the command line so far: `chains verify`
 */
export function usageError(text: string, command: string): UsageError {
  const [message = '', advice = ''] = text.split('(Did you mean ');
  const [, near] = /^(?:one of )?([^?]*)\?\)/.exec(advice) ?? [];
  const error = message.replace(/\s+/g, ' ').trim();
  const [given = '', choices = ''] = error.split('. Allowed choices are ');
  const [, word = ''] = /(?:argument|value) '([^']*)' is invalid/.exec(given) ?? [];
  const meant = near ?? closest(word, choices.replace(/\.$/, '').split(', '));
  return {
    error,
    hint: meant === undefined ? `${command} --help shows what it takes` : `did you mean ${meant}?`,
  };
}

/** The hint about a word that was mistyped, undefined when none is near: for errors of our own. */
export function nearMiss(
  word: string,
  candidates: Iterable<string>,
  form: (candidate: string) => string = (candidate) => candidate,
): { readonly hint?: string } {
  const near = closest(word, candidates);
  return near === undefined ? {} : { hint: `did you mean ${form(near)}?` };
}
