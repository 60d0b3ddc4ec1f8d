import { unreadable, type Shape } from './shape.ts';
import { withoutTrailing } from '../text.ts';

/** A moment as Go reads it: RFC 3339, up to nine digits of a second (payloads.md, 1.4). */
export interface Time {
  /** Whole seconds since 1970 in UTC. */
  readonly seconds: number;
  /** The fraction of a second, in nine digits. */
  readonly nanoseconds: string;
}

const form = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(?:Z|([+-])(\d\d):(\d\d))$/;

/** Longest text of a time, in characters: digits past the ninth of a second are dropped. */
const longest = 200;

/** Go's zero time, 1 January of the year 1. */
const zeroSeconds = -62_135_596_800;

/** A time; inside structures it is written without fraction, and as null when it is zero or absent. */
export const time: Shape<Time> = {
  decode: (json) => {
    const read = typeof json === 'string' ? parseTime(json) : undefined;
    if (read !== undefined) return read;
    throw unreadable('is not a time such as 2024-03-01T10:00:00Z');
  },
  zero: { seconds: zeroSeconds, nanoseconds: '000000000' },
  encode: (value) => (value === undefined || isZero(value) ? null : inSeconds(value)),
};

/** A time that is left out when it is zero: Go's `omitzero`. */
export const optionalTime: Shape<Time> = {
  ...time,
  isEmpty: (value) => value === undefined || isZero(value),
};

/** `2024-03-01T10:00:00Z`: the fraction is dropped. */
export function inSeconds({ seconds }: Time): string {
  return new Date(seconds * 1000)
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replace(/^\+0/, '');
}

/** With the fraction without trailing zeros, as in provenance v0.2: `.120` becomes `.12`. */
export function withShortFraction(value: Time): string {
  return withFraction(value, withoutTrailing(value.nanoseconds, '0'));
}

/** With a fraction of 3, 6 or 9 digits, as in provenance v1. */
export function withPaddedFraction(value: Time): string {
  return withFraction(value, withoutTrailing(value.nanoseconds, '000'));
}

function withFraction(value: Time, digits: string): string {
  return digits === '' ? inSeconds(value) : inSeconds(value).replace('Z', `.${digits}Z`);
}

function isZero({ seconds, nanoseconds }: Time): boolean {
  return seconds === zeroSeconds && nanoseconds === '000000000';
}

function parseTime(text: string): Time | undefined {
  if (text.length > longest) return undefined;
  const found = form.exec(text);
  if (found === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction = '', sign, zoneHour = '0', zoneMinute = '0'] =
    found;
  const local = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  const milliseconds = Date.parse(local);
  // Date.parse accepts 24:00:00, and February 30 as March 1.
  if (Number.isNaN(milliseconds) || new Date(milliseconds).toISOString() !== local) return undefined;
  if (Number(zoneHour) > 24 || Number(zoneMinute) > 59) return undefined;
  const offset = (Number(zoneHour) * 60 + Number(zoneMinute)) * 60 * (sign === '-' ? -1 : 1);
  return { seconds: milliseconds / 1000 - offset, nanoseconds: fraction.slice(0, 9).padEnd(9, '0') };
}
