/** A regular expression in a source file. */
export interface RegexLiteral {
  readonly source: string;
  readonly flags: string;
  readonly line: number;
}

/** Words after which a `/` begins a regular expression; after other words it divides. */
const keywords = new Set(['return', 'typeof', 'case', 'in', 'of', 'void', 'throw', 'await', 'yield']);

/** The literal regular expressions of a TypeScript file: comments, strings and the text of templates are passed over. */
export function regexLiterals(code: string): readonly RegexLiteral[] {
  const found: RegexLiteral[] = [];
  /** For each `{` that is open, whether it stands in a template. */
  const open: boolean[] = [];
  /** The word or sign before. */
  let last = '';
  let at = 0;
  const text = (isEnd: (at: number) => boolean) => {
    while (at < code.length && !isEnd(at)) at += code[at] === '\\' ? 2 : 1;
    last = 'text';
  };
  const template = () => {
    text((here) => code[here] === '`' || code.startsWith('${', here));
    if (code[at] === '`') at += 1;
    else {
      open.push(true);
      last = '{';
      at += 2;
    }
  };
  const passTo = (end: string, from: number) => {
    const index = code.indexOf(end, from);
    at = index === -1 ? code.length : index + end.length;
  };
  while (at < code.length) {
    const character = code.charAt(at);
    if (code.startsWith('//', at)) passTo('\n', at);
    else if (code.startsWith('/*', at)) passTo('*/', at);
    else if (character === '"' || character === "'") {
      at += 1;
      text((here) => code[here] === character);
      at += 1;
    } else if (character === '`') {
      at += 1;
      template();
    } else if (character === '/' && (keywords.has(last) || !/^[\w$)\]}]/.test(last))) {
      const start = at;
      at = endOfRegex(code, start + 1);
      const source = code.slice(start + 1, at - 1);
      const [flags = ''] = /^[a-z]*/.exec(code.slice(at, at + 10)) ?? [];
      found.push({ source, flags, line: code.slice(0, start).split('\n').length });
      at += flags.length;
      last = 'text';
    } else {
      const [word = character] = /^[\w$]+/.exec(code.slice(at, at + 100)) ?? [];
      at += word.length;
      if (word.trim() !== '') last = word;
      if (word === '{') open.push(false);
      if (word === '}' && open.pop() === true) template();
    }
  }
  return found;
}

function endOfRegex(code: string, start: number): number {
  let inClass = false;
  for (let at = start; at < code.length; at += 1) {
    if (code[at] === '\\') at += 1;
    else if (code[at] === '[') inClass = true;
    else if (code[at] === ']') inClass = false;
    else if (code[at] === '/' && !inClass) return at + 1;
  }
  throw new Error('a regular expression has no end');
}
