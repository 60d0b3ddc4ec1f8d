/** The labels of the PEM blocks that begin in a text, in their order (RFC 7468). */
export function pemLabels(text: string): readonly string[] {
  return Array.from(text.matchAll(/-----BEGIN ([A-Z0-9 ]{1,40})-----/g), ([, label = '']) => label);
}

/** The bytes of the first whole PEM block of this label; undefined when it has no end, or something in it is no base64. */
export function pemBlock(text: string, label: string): Buffer | undefined {
  const body = new RegExp(`-----BEGIN ${label}-----([\\w+/=\\s]*)-----END ${label}-----`).exec(text)?.[1];
  return body === undefined ? undefined : Buffer.from(body, 'base64');
}

/** A PEM block. */
export function pemOf(label: string, bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
