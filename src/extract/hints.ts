import type { Report } from '../model/problem.ts';
import { textOf } from '../tekton/value.ts';
import { trim } from '../tekton/white-space.ts';
import { type ParsedDigest, parseDigest } from './digest.ts';
import { quote } from '../text.ts';
import type { Result } from './results.ts';

/** A name and a digest that belong together, as two results or one object state them (payloads.md, 3). */
export interface Hint {
  /** The name, with nothing checked. */
  readonly uri: string;
  /** The digest, with nothing checked but what the kind of hint asks for. */
  readonly digest: string;
  /** The result that gives the name: `status.results[0]`. */
  readonly at: string;
  /** The result that gives the digest. */
  readonly digestAt: string;
  /** The results' names, for messages: `app-IMAGE_URL and app-IMAGE_DIGEST`. */
  readonly names: string;
}

/** The two suffixes of a pair of results. */
export interface PairSuffixes {
  readonly uri: string;
  readonly digest: string;
}

/** `*IMAGE_URL` and `*IMAGE_DIGEST`. */
export const imagePair: PairSuffixes = { uri: 'IMAGE_URL', digest: 'IMAGE_DIGEST' };

/** `*ARTIFACT_URI` and `*ARTIFACT_DIGEST`. */
export const artifactPair: PairSuffixes = { uri: 'ARTIFACT_URI', digest: 'ARTIFACT_DIGEST' };

interface PairHalf {
  readonly text: string;
  readonly at: string;
}

interface Halves {
  uri?: PairHalf;
  digest?: PairHalf;
  /** Where a result of the pair is, even one with an empty value. */
  at: string;
  /** Halves that are there with an empty value. */
  empty: Set<'uri' | 'digest'>;
  /** True when a half is a list or an object, which is reported separately. */
  reported: boolean;
}

/** The pairs, in the order of their first halves; of a repeated name, the last value that isn't empty is used. */
export function pairsIn(results: readonly Result[], suffixes: PairSuffixes, report: Report): readonly Hint[] {
  const pairs = new Map<string, Halves>();
  for (const result of results) {
    const side = sideOf(result.name, suffixes);
    if (side === undefined) continue;
    const marker = result.name.slice(0, -suffixes[side].length);
    const halves: Halves = pairs.get(marker) ?? { at: result.at, empty: new Set(), reported: false };
    pairs.set(marker, halves);
    const { value } = result;
    const text = trim(textOf(value));
    if (text !== '') halves[side] = { text, at: result.at };
    else if (value?.kind === 'list' || value?.kind === 'object') {
      halves.reported = true;
      const is = value.kind === 'list' ? 'an array' : 'an object';
      report(
        `${result.at}.value`,
        `${quote(result.name)} is ${is}, so it counts as empty; give it the type string`,
      );
    } else halves.empty.add(side);
  }
  return [...pairs].flatMap(([marker, halves]) => {
    const names = { uri: marker + suffixes.uri, digest: marker + suffixes.digest };
    const { uri, digest } = halves;
    if (uri !== undefined && digest !== undefined) {
      const both = `${quote(names.uri)} and ${quote(names.digest)}`;
      return [{ uri: uri.text, digest: digest.text, at: uri.at, digestAt: digest.at, names: both }];
    }
    if (!halves.reported) reportHalf(halves, names, report);
    return [];
  });
}

function reportHalf(halves: Halves, names: PairSuffixes, report: Report): void {
  const missing = sides
    .filter((side) => halves[side] === undefined)
    .map((side) => `${quote(names[side])} is ${halves.empty.has(side) ? 'empty' : 'missing'}`);
  const at = (halves.uri ?? halves.digest)?.at ?? halves.at;
  const what = missing.length === 1 ? 'half a pair' : 'a pair without values';
  report(at, `${what}: ${missing.join(' and ')}; give both results a value`);
}

const sides = ['uri', 'digest'] as const;

function sideOf(name: string, suffixes: PairSuffixes): 'uri' | 'digest' | undefined {
  return sides.find((side) => name.endsWith(suffixes[side]));
}

/** Values that were probably meant as `true`. */
const meansTrue: ReadonlySet<string> = new Set(['true', 'yes', 'y', 'on', 't', '1']);

/** A digest without white space around its algorithm and its hex. */
function withoutBlanks(digest: string): string {
  return digest.split(':').map(trim).join(':');
}

/** A result whose object names a thing and its digest. */
export interface Structure extends Hint {
  /** True when the member `isBuildArtifact` is the text `true`, white space around it aside. */
  readonly isBuildArtifact: boolean;
  /** The digest, read. */
  readonly read: ParsedDigest;
}

/** The results whose names end with `suffix` (`ARTIFACT_OUTPUTS` or `ARTIFACT_INPUTS`) and that are valid structures. */
export function structuresIn(
  results: readonly Result[],
  suffix: string,
  { report, asWritten }: { readonly report: Report; readonly asWritten: boolean },
): readonly Structure[] {
  return results
    .filter((result) => result.name.endsWith(suffix))
    .flatMap((result) => {
      const at = `${result.at}.value`;
      const names = quote(result.name);
      const { value } = result;
      if (value?.kind !== 'object') {
        const wrong = 'is not an object of strings; give it the type object, with the members uri and digest';
        report(at, `${names} ${wrong}`);
        return [];
      }
      const of = (key: string) => {
        const text = value.members.get(key) ?? '';
        return asWritten ? text : trim(text);
      };
      const [uri, digest, mark] = [of('uri'), of('digest'), of('isBuildArtifact')];
      if (uri === '' || digest === '') {
        const missing = sides.filter((side) => of(side) === '').join(' and no ');
        report(at, `${names} has no ${missing}; give it a uri and a digest`);
        return [];
      }
      const read = parseDigest(digest);
      if (!read.ok) {
        report(at, `${names} has a digest that ${read.wrong}`);
        return [];
      }
      if (mark !== 'true' && meansTrue.has(mark.toLowerCase())) {
        report(at, `${names} has isBuildArtifact ${quote(mark)}, which does not count; write "true"`);
      }
      const places = { at: result.at, digestAt: result.at };
      return [
        {
          uri,
          digest: asWritten ? digest : withoutBlanks(digest),
          read: read.value,
          ...places,
          names,
          isBuildArtifact: mark === 'true',
        },
      ];
    });
}
