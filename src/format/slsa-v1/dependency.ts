import { byUtf8 } from '../../tekton/go-json.ts';
import { textsOrAbsent, textOrAbsent } from '../statement.ts';
import type { Digested, DigestSet } from '../digest-set.ts';
import type { ResourceDescriptor } from './predicate.ts';

/** A thing that went into the build; empty texts say nothing. */
export interface Dependency {
  readonly name: string;
  readonly uri: string;
  readonly digest: DigestSet;
  /** Standard base64. */
  readonly content: string;
}

/** A dependency by its name and what is known of it. */
export function dependency(name: string, { name: uri, digest }: Digested, content = ''): Dependency {
  return { name, uri, digest, content };
}

/**
 * The dependencies without those that an earlier one is equal to but for its name; the sources of tasks, pipelines and
 * StepActions are kept all the same (payloads.md, 9.4).
 */
export function withoutDoubles(dependencies: readonly Dependency[]): readonly Dependency[] {
  const seen = new Set<string>();
  return dependencies.filter(({ name, uri, digest, content }) => {
    const identity = JSON.stringify([uri, content, [...digest].toSorted(([a], [b]) => byUtf8(a, b))]);
    const isNew = !seen.has(identity);
    seen.add(identity);
    return isNew || name === 'task' || name === 'pipeline' || name.startsWith('stepAction/');
  });
}

/** A dependency as it is written. */
export function descriptor({ name, uri, digest, content }: Dependency): ResourceDescriptor {
  return {
    name: textOrAbsent(name),
    uri: textOrAbsent(uri),
    digest: textsOrAbsent(digest),
    content: textOrAbsent(content),
  };
}
