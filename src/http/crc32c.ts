const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value;
});

/** The CRC-32C (Castagnoli, RFC 3720, appendix B.4) of bytes or of a text's UTF-8; node's own `crc32` is another polynomial. */
export function crc32c(content: Uint8Array | string): number {
  const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (table[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
