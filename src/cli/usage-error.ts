import { closest } from '../config/closest.ts';
import { ChainsError, type ErrorDetails } from '../errors.ts';

/** The error for wrong arguments or input: exit code 2. */
export function usageError(message: string, details?: ErrorDetails): ChainsError {
  return new ChainsError('USAGE', message, details);
}

/** The hint about a mistyped word; undefined when no candidate is close. */
export function suggestion(
  word: string,
  candidates: Iterable<string>,
  form: (candidate: string) => string = (candidate) => candidate,
): { readonly hint?: string } {
  const meant = closest(word, candidates);
  return meant === undefined ? {} : { hint: `did you mean ${form(meant)}?` };
}
