import type { Json } from '../json.ts';
import { int32, misfit, type Shape } from './shape.ts';

/** JSON that is written as it came; null where there is none. */
export const rawJson: Shape<Json> = {
  decode: (json) => json,
  zero: null,
  encode: (value = null) => value,
  // By value: Go's omitempty never leaves out a structure.
  isEmpty: () => false,
};

/** A number or a name, such as a port. */
export const numberOrName: Shape<number | string> = {
  decode: (json) => {
    if (typeof json === 'string') return json;
    if (typeof json === 'number') return int32.decode(json);
    throw misfit('is neither a whole number nor a string');
  },
  zero: 0,
  encode: (value = 0) => value,
  isEmpty: () => false,
};
