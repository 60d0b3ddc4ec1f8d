import type { ValueType } from './values.ts';

const milliseconds: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

/** Go keeps a duration in 64 bits of nanoseconds. */
const longest = 2 ** 63 / 1e6;

/** A positive duration in Go's syntax (`1h30m`, `1.5s`), in whole milliseconds, at least one. */
export const duration: ValueType<number> = {
  allowed: 'a positive duration such as `90s`, `5m` or `1h30m`',
  parse(text) {
    if (text.length > 100 || !/^\+?((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))+$/.test(text)) {
      return /^-|^\+?0+$/.test(text)
        ? { ok: false, wrong: 'which is not positive' }
        : { ok: false, wrong: 'which is no duration' };
    }
    const total = [...text.matchAll(/([\d.]+)([a-zµμ]+)/g)]
      .map(([, amount, unit]) => Number(amount) * (milliseconds[unit ?? ''] ?? Number.NaN))
      .reduce((sum, part) => sum + part, 0);
    if (total === 0) return { ok: false, wrong: 'which is not positive' };
    if (total >= longest) return { ok: false, wrong: 'which is longer than 292 years' };
    return { ok: true, value: Math.max(1, Math.round(total)) };
  },
};
