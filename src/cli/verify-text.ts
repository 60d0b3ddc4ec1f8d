import { type Summary, summaryOf, type Verification } from '../verify/index.ts';
import { visible, wrap } from './wrap.ts';

/** What `chains verify` prints of a verification: a line a check, then who built what, from what, how. */
export function verifyText(subject: string, { verified, checks, statements }: Verification): string {
  const lines = [
    visible(subject),
    ...checks.map(({ name, ok, reason }) => wrap(`  ${ok ? '✔' : '✘'} ${visible(name)}: `, reason, 6)),
    ...statements.flatMap((statement) => summaryLines(summaryOf(statement))),
    `  ${verified ? 'verified' : 'NOT verified'}`,
  ];
  return `${lines.join('\n')}\n`;
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
