import type { Verification } from '../../verify/checks.ts';
import { type Summary, summaryOf } from '../../verify/summary.ts';
import { type Paint, plain } from './paint.ts';
import { visible } from '../../text.ts';
import { wrap } from './wrap.ts';

/** What `chains verify` prints of a verification: a line a check, then who built what, from what, how. */
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

/** `✔ name: reason`, or `✘` where it isn't so; `before` it stand blanks. */
export function checkLine(
  { name, ok, reason }: Verification['checks'][number],
  paint: Paint,
  before = '  ',
): string {
  const mark = ok ? '✔' : '✘';
  // A name that is part of a run's may be of any length.
  const [first, text] =
    name.length <= longestName ? [`${visible(name)}: `, reason] : ['', `${name}: ${reason}`];
  const laidOut = wrap(`${before}${mark} ${first}`, text, before.length + 4, ok ? paint.dim : paint.bad);
  return before + (ok ? paint.good : paint.bad)(mark) + laidOut.slice(before.length + mark.length);
}

/** No more of each kind than a reader will look at. */
const most = 8;

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
  const shown = values.slice(0, most).map((value, index) => line(index === 0 ? name : '', value));
  return values.length > most ? [...shown, line('', `and ${values.length - most} more`)] : shown;
}

function line(name: string, value: string): string {
  return wrap(`  ${name.padEnd(9)} `, value);
}
