import { unreadable, type Shape } from './shape.ts';
import { withoutTrailing } from '../text.ts';

const nanoseconds: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

/** Go keeps a duration in 64 bits of nanoseconds. */
const longest = 2n ** 63n;
/** Longest text of a duration, in characters. */
const longestText = 200;

/** A duration in Go's syntax, kept in nanoseconds and printed as Go prints it (payloads.md, 1.4): `60m` becomes `1h0m0s`. */
export const duration: Shape<bigint> = {
  decode: (json) => {
    const read = typeof json === 'string' ? parseDuration(json) : undefined;
    if (read !== undefined) return read;
    throw unreadable('is not a duration such as 1h30m');
  },
  zero: 0n,
  encode: (value = 0n) => printDuration(value),
};

/** The nanoseconds of a duration in Go's syntax; undefined for any other text, and for more than 63 bits. */
export function parseDuration(text: string): bigint | undefined {
  if (text.length > longestText) return undefined;
  const [, sign, rest = ''] = /^([+-]?)(.*)$/s.exec(text) ?? [];
  if (rest === '0') return 0n;
  if (!/^((\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+$/.test(rest)) return undefined;
  const total = [...rest.matchAll(/(\d*)(?:\.(\d*))?([a-zµμ]+)/gy)]
    .map(([, whole = '', fraction = '', unit = '']) => {
      const size = nanoseconds[unit] ?? 0n;
      return BigInt(whole || '0') * size + (BigInt(fraction || '0') * size) / 10n ** BigInt(fraction.length);
    })
    .reduce((sum, part) => sum + part, 0n);
  const signed = sign === '-' ? -total : total;
  return signed >= -longest && signed < longest ? signed : undefined;
}

/** The units in which a duration under a second is printed, the largest first. */
const small = [
  ['ms', 1_000_000n],
  ['µs', 1_000n],
  ['ns', 1n],
] as const;

function printDuration(value: bigint): string {
  if (value === 0n) return '0s';
  const sign = value < 0n ? '-' : '';
  const size = value < 0n ? -value : value;
  const unit = size < 1_000_000_000n ? small.find(([, factor]) => size >= factor) : undefined;
  if (unit !== undefined) return `${sign}${decimal(size, unit[1])}${unit[0]}`;
  const [hours, minutes] = [size / 3_600_000_000_000n, (size / 60_000_000_000n) % 60n];
  const seconds = `${decimal(size % 60_000_000_000n, 1_000_000_000n)}s`;
  if (hours > 0n) return `${sign}${hours}h${minutes}m${seconds}`;
  return minutes > 0n ? `${sign}${minutes}m${seconds}` : `${sign}${seconds}`;
}

/** `size / factor` as a decimal number without trailing zeros; `factor` is a power of ten. */
function decimal(size: bigint, factor: bigint): string {
  const digits = String(factor).length - 1;
  const fraction = withoutTrailing(String(size % factor).padStart(digits, '0'), '0');
  return fraction === '' ? String(size / factor) : `${size / factor}.${fraction}`;
}
