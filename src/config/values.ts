import { parseDuration } from '../tekton/duration.ts';
import { visible } from '../text.ts';
import { closest } from './closest.ts';

/** The parsed value, or what is wrong as the end of a message (`which is …`) with the word that was probably meant. */
export type ParsedValue<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly wrong: string; readonly meant?: string | undefined };

/** A type of values in the ConfigMap. */
export interface ValueType<T> {
  /** What is allowed, for `docs/config.md` and for messages after "use"; literal words are in backticks. */
  readonly allowed: string;
  parse(text: string): ParsedValue<T>;
}

const good = <T>(value: T): ParsedValue<T> => ({ ok: true, value });
const bad = (wrong: string, meant?: string): ParsedValue<never> => ({
  ok: false,
  wrong,
  ...(meant && { meant }),
});
const quoted = (words: readonly string[]) => words.map((word) => `\`${word}\``).join(', ');

/** Exactly one of the choices. */
export function choice<const T extends string>(...choices: readonly T[]): ValueType<T> {
  return {
    allowed: `one of ${quoted(choices)}`,
    parse(text) {
      const found = choices.find((one) => one === text);
      return found === undefined ? bad('which is not allowed', closest(text, choices)) : good(found);
    },
  };
}

/** Comma-separated entries, trimmed and without duplicates; an empty text has none, and no entry may be empty. */
export function list(what: string): ValueType<readonly string[]> {
  return { allowed: `a comma-separated list of ${what}`, parse: entries };
}

function entries(text: string): ParsedValue<readonly string[]> {
  if (text === '') return good([]);
  const found = text.split(',').map((entry) => entry.trim());
  return found.includes('') ? bad('where an entry is empty') : good([...new Set(found)]);
}

/** A list of choices; `aliases` are other words for some of them. */
export function choices<const T extends string>(
  names: readonly T[],
  aliases: Readonly<Record<string, T>> = {},
): ValueType<readonly T[]> {
  const known = new Map<string, T>([
    ...names.map((name) => [name, name] as const),
    ...Object.entries(aliases),
  ]);
  return {
    allowed: `a comma-separated list of ${quoted(names)}, or nothing to turn it off`,
    parse(text) {
      const split = entries(text);
      if (!split.ok) return split;
      const wrong = split.value.find((entry) => !known.has(entry));
      if (wrong !== undefined) return bad(`where ${show(wrong)} is not allowed`, closest(wrong, names));
      return good([...new Set(split.value.flatMap((entry) => known.get(entry) ?? []))]);
    },
  };
}

/** A positive whole number. */
export const count: ValueType<number> = {
  allowed: 'a whole number from 1 to 100000',
  parse(text) {
    if (!/^[0-9]{1,6}$/.test(text)) return bad('which is not a whole number');
    const value = Number(text);
    return value >= 1 && value <= 100_000 ? good(value) : bad('which is out of range');
  },
};

const truths = ['1', 't', 'T', 'TRUE', 'true', 'True'];
const untruths = ['0', 'f', 'F', 'FALSE', 'false', 'False'];

/** A boolean as Go's `strconv.ParseBool` takes it. */
export const boolean: ValueType<boolean> = {
  allowed: '`true` or `false`',
  parse(text) {
    if (truths.includes(text)) return good(true);
    if (untruths.includes(text)) return good(false);
    return bad('which is not a boolean', closest(text, ['true', 'false']));
  },
};

/** A boolean or the word `manual`. */
export const booleanOrManual: ValueType<'true' | 'false' | 'manual'> = {
  allowed: '`true`, `false` or `manual`',
  parse(text) {
    if (text === 'manual') return good('manual');
    const truth = boolean.parse(text);
    if (truth.ok) return good(truth.value ? 'true' : 'false');
    return bad('which is not allowed', closest(text, ['true', 'false', 'manual']));
  },
};

/** Any text at all, the empty one too. */
export const anyText: ValueType<string> = { allowed: 'any text', parse: good };

/** One line of text that matches `pattern`, without space at either end. */
export function text(what: string, pattern = /^/): ValueType<string> {
  return {
    allowed: what,
    parse(value) {
      if (value !== value.trim()) return bad('which has a space or line break at an end');
      if (/\p{Cc}/u.test(value)) return bad('which holds a line break or control character');
      return pattern.test(value) ? good(value) : bad('which does not have that form');
    },
  };
}

/** An absolute http or https URL, kept as it is written. */
export const url: ValueType<string> = {
  allowed: 'a URL that starts with `https://` or `http://`',
  parse(value) {
    const isUrl = /^https?:\/\/[^\s/]\S*$/.test(value) && URL.canParse(value);
    return isUrl ? good(value) : bad('which is not one');
  },
};

/** How a text is shown in a message: in quotes, on one line, bounded, without the credentials of a URL. */
export function show(value: string): string {
  const host = value.lastIndexOf('@');
  const scheme = /^[a-z][a-z0-9+.-]{0,20}:\/\//i.exec(value)?.[0] ?? '';
  const open = host < 0 ? value : `${scheme}…${value.slice(host)}`;
  const bounded = open.length > 120 ? `${open.slice(0, 120)}…` : open;
  return visible(JSON.stringify(bounded));
}

/** A positive duration in Go's syntax (`1h30m`, `1.5s`), in whole milliseconds, at least one. */
export const duration: ValueType<number> = {
  allowed: 'a positive duration such as `90s`, `5m` or `1h30m`',
  parse(text) {
    const nanoseconds = parseDuration(text);
    if (nanoseconds === undefined) return bad('which is not a duration');
    if (nanoseconds <= 0n) return bad('which is not positive');
    return good(Math.max(1, Math.round(Number(nanoseconds) / 1e6)));
  },
};
