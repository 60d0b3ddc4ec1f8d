import { isJsonObject, type Json } from '../model/json.ts';
import { unreadable } from './read.ts';

/** The value of a param or result (payloads.md, 1.2). */
export type Value =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'list'; readonly texts: readonly string[] }
  | { readonly kind: 'object'; readonly members: ReadonlyMap<string, string> }
  | { readonly kind: 'none' };

/**
 * Reads a value; what is neither a string nor a list or object of strings becomes the text of its JSON.
 * @param at where it stands, for the message
 * @throws ChainsError RUN_UNREADABLE when it nests too deeply to be written.
 */
export function valueOf(json: Json | undefined, at: string): Value {
  if (json === undefined) return { kind: 'none' };
  if (json === null) return { kind: 'text', text: '' };
  if (typeof json === 'string') return { kind: 'text', text: json };
  if (Array.isArray(json)) {
    const texts = allTexts(json);
    return texts === undefined ? jsonText(json, at) : { kind: 'list', texts };
  }
  if (!isJsonObject(json)) return jsonText(json, at);
  const texts = allTexts(Object.values(json));
  if (texts === undefined) return jsonText(json, at);
  return {
    kind: 'object',
    members: new Map(Object.keys(json).map((key, index) => [key, texts[index] ?? ''])),
  };
}

/** The string of a value: empty for a list, an object and no value. */
export function textOf(value: Value): string {
  return value.kind === 'text' ? value.text : '';
}

function allTexts(values: readonly unknown[]): readonly string[] | undefined {
  const texts: string[] = [];
  for (const value of values) {
    if (value !== null && typeof value !== 'string') return undefined;
    texts.push(value ?? '');
  }
  return texts;
}

function jsonText(json: unknown, at: string): Value {
  try {
    return { kind: 'text', text: JSON.stringify(json) };
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw unreadable(at, 'nests too deeply', cause);
  }
}
