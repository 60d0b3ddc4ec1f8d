import { visible } from '../text.ts';

/** At most this many UTF-16 units of a run's text are shown in a message. */
const shown = 80;

/** A text from a run for a message: in quotes, cut where it is long, on one line, with everything invisible escaped. */
export function quote(text: string): string {
  const start = visible(text.slice(0, shown).replace(/["\\]/g, '\\$&'));
  return text.length > shown ? `"${start}…" (${text.length} characters)` : `"${start}"`;
}
