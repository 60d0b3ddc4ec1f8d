/** The labels of the PEM blocks that begin in a text, in their order (RFC 7468). */
export function pemLabels(text: string): readonly string[] {
  const labels = Array.from(text.matchAll(/-----BEGIN ([A-Z0-9 ]{1,40})-----/g), ([, label = '']) => label);
  forgetMatch();
  return labels;
}

/** The text between the first line that begins a block of this label and the next that ends one; undefined without both. */
export function pemBody(text: string, label: string): string | undefined {
  const [begin, end] = [`-----BEGIN ${label}-----`, `-----END ${label}-----`];
  const start = text.indexOf(begin);
  const close = text.indexOf(end, start + begin.length);
  return start === -1 || close === -1 ? undefined : text.slice(start + begin.length, close);
}

/** The bytes of the first PEM block of this label; undefined if it has no end or is not base64. */
export function pemBlock(text: string, label: string): Buffer | undefined {
  const body = pemBody(text, label);
  const isBase64 = body !== undefined && /^[\w+/=\s]*$/.test(body);
  forgetMatch();
  return isBase64 ? Buffer.from(body, 'base64') : undefined;
}

/** The engine keeps the text of the last match until the next one (`RegExp.input`), and no secret may stay there. */
function forgetMatch(): void {
  /[ab]/.test('a');
}

/** A PEM block. */
export function pemOf(label: string, bytes: Uint8Array): string {
  const lines = base64(bytes).match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/** Bytes in standard base64. */
export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
