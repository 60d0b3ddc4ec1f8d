/** The fields of a protobuf message; a number is kept as the bytes in which it came. */
export interface Fields {
  /** The last value of a field; empty where it is not there. */
  one(field: number): Buffer;
  all(field: number): readonly Buffer[];
}

/** Reads the fields of a message. Throws where it is none. */
export function messageOf(bytes: Buffer): Fields {
  const found = new Map<number, Buffer[]>();
  let at = 0;
  const take = (length: number): Buffer => {
    if (at + length > bytes.length) throw new Error('the message ends in a field');
    at += length;
    return bytes.subarray(at - length, at);
  };
  const takeVarint = (): Buffer => {
    let length = 1;
    while (((bytes[at + length - 1] ?? 0) & 0x80) !== 0) length++;
    return take(length);
  };
  const takeValue = (type: number): Buffer => {
    if (type === 0) return takeVarint();
    if (type === 1) return take(8);
    if (type === 2) return take(number(takeVarint()));
    if (type === 5) return take(4);
    throw new Error(`type ${type} is none of protobuf 3`);
  };
  while (at < bytes.length) {
    const tag = number(takeVarint());
    found.set(tag >> 3, [...(found.get(tag >> 3) ?? []), takeValue(tag & 7)]);
  }
  const all = (field: number) => found.get(field) ?? [];
  return { all, one: (field) => all(field).at(-1) ?? Buffer.alloc(0) };
}

/** A varint as a number. */
export function number(varint: Buffer): number {
  return varint.reduceRight((value, byte) => value * 128 + (byte & 0x7f), 0);
}

/** A string. */
export function text(bytes: Buffer): string {
  return bytes.toString('utf8');
}

/** A list of OpenTelemetry's KeyValue whose values are strings and whole numbers. */
export function attributesOf(entries: readonly Buffer[]): Readonly<Record<string, string | number>> {
  return Object.fromEntries(
    entries.map((entry) => {
      const value = messageOf(messageOf(entry).one(2));
      const [asText] = value.all(1);
      return [text(messageOf(entry).one(1)), asText === undefined ? number(value.one(3)) : text(asText)];
    }),
  );
}
