import type { Verification } from '../../verify/checks.ts';
import { type Summary, summaryOf } from '../../verify/summary.ts';
import { type Paint, plain, wrap } from './layout.ts';
import { visible } from '../../text.ts';

/** What `chains verify` prints of a verification: one line for each check, then the builder, what was built and from what. */
export function verifyText(
  subject: string,
  { verified, checks, notes, statements }: Verification,
  paint: Paint = plain,
): string {
  const lines = [
    wrap('', subject, 2),
    ...checks.map((check) => checkLine(check, paint)),
    ...notes.map((note) => wrap('  · ', note, 4, paint.dim)),
    ...statements.flatMap((statement) => summaryLines(summaryOf(statement))),
    `  ${verified ? paint.good('verified') : paint.bad('NOT verified')}`,
  ];
  return `${lines.join('\n')}\n`;
}

/** The longest name of a check that shares a line with its reason. */
const longestName = 60;

/** `✔ name: reason`, with `✘` for a check that failed. */
export function checkLine(
  { name, ok, reason }: Verification['checks'][number],
  paint: Paint,
  indent = '  ',
): string {
  const mark = ok ? '✔' : '✘';
  // A check's name can hold a run's name, which may be long.
  const [first, text] =
    name.length <= longestName ? [`${visible(name)}: `, reason] : ['', `${name}: ${reason}`];
  const laidOut = wrap(`${indent}${mark} ${first}`, text, indent.length + 4, ok ? paint.dim : paint.bad);
  return indent + (ok ? paint.good : paint.bad)(mark) + laidOut.slice(indent.length + mark.length);
}

/** How many values of one kind are listed. */
const mostListed = 8;

function summaryLines({ builder, built, from, steps, startedOn, finishedOn }: Summary): readonly string[] {
  const when = [startedOn, finishedOn].filter((time) => time !== undefined).join(' to ');
  return [
    '',
    ...listed('built by', builder === undefined ? [] : [builder]),
    ...listed('built', built),
    ...listed('from', from),
    ...listed('by steps', steps),
    ...listed('when', when === '' ? [] : [when]),
    '',
  ];
}

function listed(name: string, values: readonly string[]): readonly string[] {
  const shown = values.slice(0, mostListed).map((value, index) => line(index === 0 ? name : '', value));
  return values.length > mostListed ? [...shown, line('', `and ${values.length - mostListed} more`)] : shown;
}

function line(name: string, value: string): string {
  return wrap(`  ${name.padEnd(9)} `, value);
}
