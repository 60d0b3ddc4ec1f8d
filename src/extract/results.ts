import type { Report } from '../model/problem.ts';
import { textOf, type Value } from '../tekton/value.ts';
import { trim } from '../tekton/white-space.ts';
import { quote } from '../text.ts';
import { type ParsedDigest, parseDigest } from './digest.ts';

/** One entry of a list of results. */
export interface Result {
  /** Where it is: `status.results[0]`. */
  readonly at: string;
  readonly name: string;
  /** Undefined when there is no value. */
  readonly value: Value | undefined;
}

/** How results are read. */
export interface Reading {
  /** Receives what looks like a hint but is not valid. */
  readonly report: Report;
  /** True where hints are taken as written, white space and half pairs included, as in other Chains' payloads. */
  readonly asWritten: boolean;
}

/** The results of the list at `where`. */
export function resultsAt(
  where: string,
  list: readonly { readonly name?: string; readonly value?: Value }[] = [],
): readonly Result[] {
  return list.map(({ name = '', value }, index) => ({ at: `${where}[${index}]`, name, value }));
}

/** `an array` or `an object`; undefined for a text and for no value. */
export function structureName(value: Value | undefined): string | undefined {
  if (value?.kind === 'list') return 'an array';
  return value?.kind === 'object' ? 'an object' : undefined;
}

/** A name and a digest that belong together, from two results or one object (payloads.md, 3). */
export interface Hint {
  /** The name, unchecked. */
  readonly uri: string;
  /** The digest; what else is checked depends on the kind of hint. */
  readonly digest: string;
  /** The result that gives the name: `status.results[0]`. */
  readonly at: string;
  /** The result that gives the digest. */
  readonly digestAt: string;
  /** The results' names, for messages: `"app-IMAGE_URL" and "app-IMAGE_DIGEST"`. */
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

const sides = ['uri', 'digest'] as const;

interface PairHalf extends Result {
  readonly side: (typeof sides)[number];
  /** The name without the suffix, which both halves share. */
  readonly prefix: string;
  readonly text: string;
}

/** The pairs, in the order of their first halves. Where a name is repeated, the last value that isn't empty is used. */
export function pairsIn(results: readonly Result[], suffixes: PairSuffixes, report: Report): readonly Hint[] {
  const halves = results.flatMap((result): readonly PairHalf[] => {
    const side = sides.find((one) => result.name.endsWith(suffixes[one]));
    if (side === undefined) return [];
    const prefix = result.name.slice(0, -suffixes[side].length);
    return [{ ...result, side, prefix, text: trim(textOf(result.value)) }];
  });
  for (const { at, name, value } of halves) {
    const structure = structureName(value);
    if (structure !== undefined)
      report(`${at}.value`, `${quote(name)} is ${structure}, so it is ignored; give it the type string`);
  }
  return [...Map.groupBy(halves, ({ prefix }) => prefix)].flatMap(([prefix, found]) => {
    const names = { uri: quote(prefix + suffixes.uri), digest: quote(prefix + suffixes.digest) };
    const [uri, digest] = sides.map((side) =>
      found.findLast((half) => half.side === side && half.text !== ''),
    );
    if (uri !== undefined && digest !== undefined) {
      const both = `${names.uri} and ${names.digest}`;
      return [{ uri: uri.text, digest: digest.text, at: uri.at, digestAt: digest.at, names: both }];
    }
    if (found.some(({ value }) => structureName(value) !== undefined)) return [];
    const given = uri ?? digest;
    const missing = sides
      .filter((side) => side !== given?.side)
      .map((side) => `${names[side]} is ${found.some((half) => half.side === side) ? 'empty' : 'missing'}`);
    const what = given === undefined ? 'a pair without values' : 'half a pair';
    report((given ?? found[0])?.at ?? '', `${what}: ${missing.join(' and ')}; give both results a value`);
    return [];
  });
}

/** Values that were probably meant as `true`. */
const meansTrue: ReadonlySet<string> = new Set(['true', 'yes', 'y', 'on', 't', '1']);

/** A result whose object gives a name and its digest. */
export interface Structure extends Hint {
  /** True when the member `isBuildArtifact` is the text `true`, apart from white space around it. */
  readonly isBuildArtifact: boolean;
  /** The digest, parsed. */
  readonly read: ParsedDigest;
}

/** The results whose names end with `suffix` (`ARTIFACT_OUTPUTS` or `ARTIFACT_INPUTS`) and that are valid structures. */
export function structuresIn(
  results: readonly Result[],
  suffix: string,
  { report, asWritten }: Reading,
): readonly Structure[] {
  return results
    .filter(({ name }) => name.endsWith(suffix))
    .flatMap(({ at, name, value }) => {
      const names = quote(name);
      const complain = (fault: string): readonly [] => {
        report(`${at}.value`, `${names} ${fault}`);
        return [];
      };
      if (value?.kind !== 'object') {
        return complain(
          'is not an object of strings; give it the type object, with the members uri and digest',
        );
      }
      const textAt = (key: string) => {
        const text = value.members.get(key) ?? '';
        return asWritten ? text : trim(text);
      };
      const missing = sides.filter((side) => textAt(side) === '');
      if (missing.length > 0)
        return complain(`has no ${missing.join(' and no ')}; give it a uri and a digest`);
      const digest = textAt('digest');
      const read = parseDigest(digest);
      if (!read.ok) return complain(`has a digest that ${read.wrong}`);
      const mark = textAt('isBuildArtifact');
      if (mark !== 'true' && meansTrue.has(mark.toLowerCase()))
        complain(`has isBuildArtifact ${quote(mark)}, which is ignored; write "true"`);
      return [
        {
          uri: textAt('uri'),
          digest: asWritten ? digest : digest.split(':').map(trim).join(':'),
          read: read.value,
          at,
          digestAt: at,
          names,
          isBuildArtifact: mark === 'true',
        },
      ];
    });
}
