import { parseDuration } from '../tekton/duration.ts';
import type { ValueType } from './values.ts';

/** A positive duration in Go's syntax (`1h30m`, `1.5s`), in whole milliseconds, at least one. */
export const duration: ValueType<number> = {
  allowed: 'a positive duration such as `90s`, `5m` or `1h30m`',
  parse(text) {
    const nanoseconds = parseDuration(text);
    if (nanoseconds === undefined) return { ok: false, wrong: 'which is no duration' };
    if (nanoseconds <= 0n) return { ok: false, wrong: 'which is not positive' };
    return { ok: true, value: Math.max(1, Math.round(Number(nanoseconds) / 1e6)) };
  },
};
