/** What a pattern takes at a place: a literal or a class, with texts of one character that it takes. */
type Samples = readonly string[];

const candidates = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code)).concat([
  '\u0085',
  '\u00a0',
  '\u00b5',
  '\u00e9',
  '\u03bc',
  '\u200b',
  '\u2028',
  '\u202e',
  '\ud800',
  '\u{1f600}',
]);

/** The classes and literals of a pattern, in their order; groups, anchors and quantifiers are passed over. */
function placesIn(source: string, flags: string): readonly Samples[] {
  const token =
    /\[(?:\\.|[^\]\\])*\]|\\[pP]\{[^}]*\}|\\u\{[^}]*\}|\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}|\\.|\(\?<?[=!]|\(\?<\w+>|\(\?:|\{\d+(?:,\d*)?\}|[^]/gu;
  return Array.from(source.matchAll(token), ([text]) => text)
    .filter((text) => !/^(?:\(.*|[)|^$*+?]|\{\d.*|\\[bB1-9])$/s.test(text))
    .map((text) => {
      const one = new RegExp(`^(?:${text})$`, flags.replace(/[gmy]/g, ''));
      const taken = candidates.filter((candidate) => one.test(candidate));
      // One of each kind: classes overlap in letters, digits, blanks or signs.
      const kinds = [/^[a-z]$/, /^[A-Z]$/, /^\d$/, /^\s$/, /^[^\w\s]$/, /^[^]$/u];
      return [...new Set(kinds.flatMap((kind) => taken.find((candidate) => kind.test(candidate)) ?? []))];
    })
    .filter((samples) => samples.length > 0);
}

/** A text that repeats `pump` so that it is about so long. */
export interface Attack {
  readonly start: string;
  readonly pump: string;
  readonly end: string;
}

/** The text of an attack. */
export function attackText({ start, pump, end }: Attack, length: number): string {
  return start + pump.repeat(Math.ceil(length / pump.length)) + end;
}

/**
 * Texts that try to make a pattern slow: what it takes up to some place, then what it takes at one or some places over
 * and over, then something that lets it fail.
 */
export function attacksOn(source: string, flags: string): readonly Attack[] {
  const places = placesIn(source, flags);
  const first = places.map(([sample = '']) => sample);
  const pumps = new Set([
    ...places.flat(),
    ...first.map((sample, index) => sample + (first[index + 1] ?? '')),
    ...first.map((_, index) => first.slice(index, index + 4).join('')),
    ...first.map((_, index) => first.slice(0, index + 1).join('')),
  ]);
  const starts = new Set(['', ...first.map((_, index) => first.slice(0, index + 1).join(''))]);
  const ends = ['\u0001', `\n${first.join('')}!`];
  return [...starts].flatMap((start) =>
    [...pumps].flatMap((pump) => (pump === '' ? [] : ends.map((end) => ({ start, pump, end })))),
  );
}

const sizes = [16, 24, 400, 10_000];
/** Milliseconds that no linear search through 10,000 characters takes. */
const suspicious = 8;

/** The first attack whose time grows faster than its length; undefined where none does. */
export function slowestAttack(source: string, flags: string): Attack | undefined {
  const pattern = new RegExp(source, flags);
  const milliseconds = (attack: Attack, size: number) =>
    timeOf(() => attackText(attack, size).replace(pattern, ''));
  for (const attack of attacksOn(source, flags))
    for (const size of sizes) {
      if (milliseconds(attack, size) < suspicious) continue;
      // A busy machine, or the collection of garbage, is never slow each time.
      const times = (length: number) => Math.min(...[1, 2, 3].map(() => milliseconds(attack, length)));
      const whole = times(size);
      if (whole >= suspicious && whole > 8 * times(size / 4)) return attack;
    }
  return undefined;
}

/** Milliseconds of the processor. */
export function timeOf(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  const { user } = process.cpuUsage(before);
  return user / 1_000;
}
