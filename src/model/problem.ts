import { oneLine } from '../text.ts';

/** Something in a run that looks like a hint or value but is not used, and why. Never fatal. */
export interface Problem {
  /** Where: `status.results[0].value`. */
  readonly at: string;
  /** What is wrong and what to change, one line. */
  readonly message: string;
}

/** Receives a problem: where it is, what is wrong and what to change. */
export type Report = (at: string, message: string) => void;

/** Most problems of one run that are reported one by one, so that invalid results can't fill memory. */
const limit = 100;

/** Collects problems in the order in which they are reported. */
export function collectProblems(): { readonly report: Report; all(): readonly Problem[] } {
  const problems: Problem[] = [];
  let count = 0;
  return {
    report(at, message) {
      count++;
      if (count <= limit) problems.push({ at: oneLine(at), message: oneLine(message) });
    },
    all() {
      const more = { at: 'status', message: `and ${count - limit} more problems like these` };
      return count <= limit ? problems : [...problems, more];
    },
  };
}
