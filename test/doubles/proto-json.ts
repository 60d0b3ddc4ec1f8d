import { isJsonList, isJsonObject, type Json } from '../../src/json.ts';

/** The type of a field, as protobuf's JSON mapping writes it; a table is a message. */
export type Type =
  | 'string'
  | 'bool'
  | 'bytes'
  | 'Timestamp'
  | 'Struct'
  | 'map<string, string>'
  | 'map<string, Value>'
  | { readonly [field: string]: Type }
  | readonly [Type];

const base64 = /^(?:[A-Za-z0-9+/_-]{4})*(?:[A-Za-z0-9+/_-]{2,3}={0,2})?$/;
const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;

/** What Google's servers say about JSON that is not of this type; undefined when it is. */
export function complaint(value: Json | undefined, type: Type, at = ''): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof type === 'string') {
    return isScalar(value, type) ? undefined : `Invalid value at '${at}' (${type}), ${JSON.stringify(value)}`;
  }
  if (isList(type)) {
    if (!isJsonList(value)) return `Invalid value at '${at}', Starting an object on a list`;
    return firstOf(value.map((one, index) => complaint(one, type[0], `${at}[${index}]`)));
  }
  if (!isJsonObject(value)) return `Invalid value at '${at}', ${JSON.stringify(value)}`;
  return firstOf(
    Object.entries(value).map(([name, one]) => {
      const field = type[name];
      const where = at === '' ? name : `${at}.${name}`;
      return field === undefined
        ? `Invalid JSON payload received. Unknown name "${name}"${at === '' ? '' : ` at '${at}'`}: Cannot find field.`
        : complaint(one, field, where);
    }),
  );
}

function firstOf(found: readonly (string | undefined)[]): string | undefined {
  return found.find((one) => one !== undefined);
}

function isList(type: Type): type is readonly [Type] {
  return Array.isArray(type);
}

function isScalar(value: Json, type: Type): boolean {
  if (type === 'bool') return typeof value === 'boolean';
  if (type === 'Struct' || type === 'map<string, Value>') return isJsonObject(value);
  if (type === 'map<string, string>') {
    return isJsonObject(value) && Object.values(value).every((one) => typeof one === 'string');
  }
  if (typeof value !== 'string') return false;
  if (type === 'bytes') return base64.test(value);
  return type === 'string' || timestamp.test(value);
}
