import { unreadable, type Shape } from './shape.ts';
import { trim } from './white-space.ts';

/** A resource quantity as Kubernetes prints it: `1000m` becomes `1`, `1024Mi` becomes `1Gi` (payloads.md, 1.4). */
export const quantity: Shape<string> = {
  decode: (json) => {
    if (json === null) return '0';
    const printed =
      typeof json === 'string' || typeof json === 'number' ? printQuantity(String(json)) : undefined;
    if (printed !== undefined) return printed;
    throw unreadable('is not a quantity such as 500m or 1Gi');
  },
  zero: '0',
  encode: (value = '0') => value,
};

const decimalSuffixes = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'];
const binarySuffixes = ['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];

/** What the suffix of a quantity multiplies by: 10^exponent, or 1024^power. */
type Scale =
  | { readonly form: 'decimal' | 'exponent'; readonly exponent: number }
  | { readonly form: 'binary'; readonly power: number };

interface Quantity {
  readonly text: string;
  readonly negative: boolean;
  /** The digits before and after the point, without leading zeros of the whole part. */
  readonly digits: string;
  /** How many of the digits come after the point. */
  readonly fraction: number;
  readonly scale: Scale;
}

/** Longest text of a quantity, in characters. */
const longest = 1_000;

/** Quantities are exact to 1n, nine digits after the point. */
const places = 9;
const unit = 10n ** BigInt(places);

/** Binary quantities are kept in 63 bits. */
const largestBinary = 2n ** 63n - 1n;

function printQuantity(given: string): string | undefined {
  const quantity = parse(trim(given));
  if (quantity === undefined) return undefined;
  return isEchoed(quantity) ? quantity.text : canonical(quantity);
}

function parse(text: string): Quantity | undefined {
  if (text === '' || text.length > longest) return undefined;
  const found = /^([+-]?)(\d*)(?:\.(\d*))?(?:([A-Za-z]+)([+-]?\d+)?)?$/.exec(text);
  if (found === null) return undefined;
  const [, sign, whole = '', fraction = '', suffix = '', exponent] = found;
  const scale = scaleOf(suffix, exponent);
  if (scale === undefined) return undefined;
  const digits = (whole.replace(/^0+/, '') || '0') + fraction;
  return { text, negative: sign === '-', digits, fraction: fraction.length, scale };
}

function scaleOf(suffix: string, exponent: string | undefined): Scale | undefined {
  if (exponent !== undefined) {
    const power = Number(exponent);
    return /^[eE]$/.test(suffix) && Math.abs(power) <= 1_000
      ? { form: 'exponent', exponent: power }
      : undefined;
  }
  const decimal = decimalSuffixes.indexOf(suffix);
  if (decimal >= 0) return { form: 'decimal', exponent: 3 * decimal - places };
  const binary = binarySuffixes.indexOf(suffix);
  return binary < 0 ? undefined : { form: 'binary', power: binary + 1 };
}

/** Whether Kubernetes keeps the text as it is, since it could read it without computing. */
function isEchoed({ digits, fraction, scale }: Quantity): boolean {
  if (scale.form === 'binary') {
    const room = 15 - digits.length - 3 * scale.power - 1;
    return fraction === 0 && room >= 0 && !isZero(digits) && BigInt(digits) % 8n !== 0n;
  }
  const exponent = scale.exponent - fraction;
  const isCanonical = exponent % 3 === 0 && exponent >= -places && !/^0|000$/.test(digits);
  return isCanonical && digits.length <= 18;
}

function isZero(digits: string): boolean {
  return /^0*$/.test(digits);
}

function canonical({ negative, digits, fraction, scale }: Quantity): string {
  if (isZero(digits)) return '0';
  const sign = negative ? '-' : '';
  if (scale.form !== 'binary') {
    const exponent = scale.exponent - fraction + places;
    const power = 10n ** BigInt(Math.abs(exponent));
    const nanos = exponent >= 0 ? BigInt(digits) * power : roundedUp(BigInt(digits), power);
    return sign + printDecimal(nanos, scale.form);
  }
  const nanos = roundedUp(BigInt(digits) * 1024n ** BigInt(scale.power) * unit, 10n ** BigInt(fraction));
  const capped = nanos > largestBinary * unit ? largestBinary * unit : nanos;
  const isLarge = capped % unit === 0n && capped >= 1024n * unit;
  return sign + (isLarge ? printBinary(capped / unit) : printDecimal(capped, 'decimal'));
}

function roundedUp(value: bigint, divisor: bigint): bigint {
  return (value + divisor - 1n) / divisor;
}

function printDecimal(nanos: bigint, form: 'decimal' | 'exponent'): string {
  const [mantissa, power] = factored(nanos, 1_000n);
  const exponent = 3 * power - places;
  if (form === 'exponent') return exponent === 0 ? String(mantissa) : `${mantissa}e${exponent}`;
  // Go has no suffix past E, and prints none.
  return `${mantissa}${decimalSuffixes[power] ?? ''}`;
}

function printBinary(value: bigint): string {
  const [mantissa, power] = factored(value, 1_024n);
  return `${mantissa}${binarySuffixes[power - 1] ?? ''}`;
}

/** The value as `mantissa * base ** power` with the largest power. */
function factored(value: bigint, base: bigint): readonly [mantissa: bigint, power: number] {
  let [mantissa, power] = [value, 0];
  while (mantissa % base === 0n) {
    mantissa /= base;
    power += 1;
  }
  return [mantissa, power];
}
