import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** The root of the project. */
export const project = fileURLToPath(new URL('../../', import.meta.url));

/** A page of the documentation. */
export interface Page {
  /** From the root of the project: `docs/storage.md`. */
  readonly path: string;
  readonly text: string;
}

/** A shell block of a page, and what the comment before it says of it. */
export interface Block {
  readonly page: string;
  readonly line: number;
  readonly commands: string;
  /** `run` in `npm test`, `run: servers` in `npm run test:servers`, `run: install` in `.ci/run`, `walk-through …`, `not run: …`; undefined where there is no such comment. */
  readonly mark: string | undefined;
}

/** README.md, CONTRIBUTING.md and every page in docs/, decisions left out, which hold no commands for readers. */
export async function readPages(): Promise<readonly Page[]> {
  const names = await readdir(`${project}docs`);
  const paths = names.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`);
  const read = async (path: string) => ({ path, text: await readFile(`${project}${path}`, 'utf8') });
  return Promise.all(['README.md', 'CONTRIBUTING.md', ...paths].map(read));
}

/** The fenced shell blocks of a page, in their order. */
export function blocksOf({ path, text }: Page): readonly Block[] {
  const found = text.matchAll(/^(?:<!-- (.*) -->\n)?```sh\n([^]*?)^```$/gm);
  return [...found].map(({ 1: mark, 2: commands = '', index }) => ({
    page: path,
    line: text.slice(0, index).split('\n').length,
    commands,
    mark,
  }));
}

/** What a page's commands are said in: `npx chains` and `npm run` are those of this checkout. */
export const prelude = `
npx() { shift; '${process.execPath}' '${project}bin/chains.js' "$@"; }
npm() { command npm --prefix '${project}' "$@"; }
`;
