import { isJsonList, isJsonObject, type Json } from '../../src/json.ts';

/** Every way to change one leaf of a value, or to leave out one member, with the path to it. */
export function mutations(value: Json, path = ''): readonly (readonly [path: string, changed: Json])[] {
  if (isJsonList(value)) {
    const inside = value.flatMap((one, index) =>
      mutations(one, `${path}[${index}]`).map(
        ([where, changed]) => [where, value.with(index, changed)] as const,
      ),
    );
    const shorter = value.map((_, index) => [`${path} without ${index}`, value.toSpliced(index, 1)] as const);
    return [...inside, ...shorter];
  }
  if (isJsonObject(value)) {
    const inside = Object.entries(value).flatMap(([key, one]) =>
      mutations(one ?? null, `${path}.${key}`).map(
        ([where, changed]) => [where, { ...value, [key]: changed }] as const,
      ),
    );
    const fewer = Object.keys(value).map((key) => {
      const { [key]: _, ...rest } = value;
      return [`${path} without ${key}`, rest] as const;
    });
    return [...inside, ...fewer, [`${path} with another member`, { ...value, another: 1 }]];
  }
  if (typeof value === 'string') return [[path, `${value.slice(0, -1)}${value.endsWith('B') ? 'C' : 'B'}`]];
  if (typeof value === 'number') return [[path, value + 1]];
  return [[path, value === null ? false : null]];
}

/** The bytes with one bit changed in each 16th of them, and in the last. */
export function flipped(bytes: Uint8Array): readonly (readonly [index: number, changed: Buffer])[] {
  const places = [...bytes.keys()].filter((index) => index % 16 === 0 || index === bytes.length - 1);
  return places.map((index) => {
    const changed = Buffer.from(bytes);
    changed[index] = (changed[index] ?? 0) ^ 1;
    return [index, changed] as const;
  });
}
