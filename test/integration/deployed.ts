import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { at, listAt } from '../../src/json.ts';

/** How `deploy/` and the image start the controller. */
export interface Deployed {
  /** Options of V8. */
  readonly node: readonly string[];
  /** The limit of the container's memory, in MiB. */
  readonly memory: number;
}

/** Reads `deploy/base/controller.yaml` and the `Dockerfile`. */
export function deployed(): Deployed {
  const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
  const documents = parseAllDocuments(read('deploy/base/controller.yaml')).map((document): unknown =>
    document.toJS(),
  );
  const [container] = documents.flatMap((document) =>
    listAt(document, 'spec', 'template', 'spec', 'containers'),
  );
  const text = `${read('Dockerfile')} ${JSON.stringify(at(container, 'env'))}`;
  const [, memory] = /^(\d+)Mi$/.exec(String(at(container, 'resources', 'limits', 'memory'))) ?? [];
  if (memory === undefined) throw new Error('deploy/base/controller.yaml has no limit of memory in Mi');
  return { node: text.match(/--(?:max-[a-z-]+=\d+|optimize-for-size)/g) ?? [], memory: Number(memory) };
}
