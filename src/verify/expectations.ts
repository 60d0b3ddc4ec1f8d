import { quote } from '../text.ts';
import { at, type Json, listAt, member, objectIn, textIn } from '../json.ts';
import type { Finding } from './judgement.ts';

/** What provenance must say besides being about the right run or image; what is left out may be anything. */
export interface Expectations {
  readonly builderId?: string | undefined;
  /** A source by its URI, with or without the `git+` before and the `.git` behind that provenance writes. */
  readonly sourceUri?: string | undefined;
  /** `ALG:HEX` or just the hex, of that source where there is a `sourceUri`, else of any. */
  readonly sourceDigest?: string | undefined;
  readonly buildType?: string | undefined;
  /** That the provenance is SLSA v1.0. */
  readonly require?: 'slsa-v1' | undefined;
}

/** Whether anything is expected at all. */
export function expectsAnything(expected: Expectations): boolean {
  return Object.values(expected).some((value) => value !== undefined);
}

/** Compares provenance with what is expected of it; a check each. */
export function meets(statement: Json, expected: Expectations): readonly (readonly [string, Finding])[] {
  const predicate = member(statement, 'predicate');
  const { builderId, buildType, sourceUri, sourceDigest } = expected;
  return [
    ...asExpected('builder', builderOf(predicate), builderId),
    ...asExpected(
      'build type',
      at(predicate, 'buildDefinition', 'buildType') ?? member(predicate, 'buildType'),
      buildType,
    ),
    ...asExpected(
      'predicate',
      member(statement, 'predicateType'),
      expected.require && 'https://slsa.dev/provenance/v1',
    ),
    ...(sourceUri === undefined && sourceDigest === undefined
      ? []
      : [['source', hasSource(sourcesOf(predicate), sourceUri, sourceDigest)] as const]),
  ];
}

/** Something that went into a build. */
export interface Source {
  readonly uri: string;
  readonly digests: readonly (readonly [algorithm: string, hex: string])[];
}

/** The builder that provenance names. */
export function builderOf(predicate: Json | undefined): Json | undefined {
  return at(predicate, 'runDetails', 'builder', 'id') ?? at(predicate, 'builder', 'id');
}

/** What went into a build, by either version of the predicate. */
export function sourcesOf(predicate: Json | undefined): readonly Source[] {
  const list = at(predicate, 'buildDefinition', 'resolvedDependencies') ?? member(predicate, 'materials');
  return listAt(list).map((one) => ({
    uri: textIn(member(one, 'uri')),
    digests: Object.entries(objectIn(member(one, 'digest'))).map(
      ([algorithm, hex]) => [algorithm, textIn(hex)] as const,
    ),
  }));
}

function asExpected(
  what: string,
  stated: Json | undefined,
  expected: string | undefined,
): readonly (readonly [string, Finding])[] {
  if (expected === undefined) return [];
  const is = typeof stated === 'string' ? quote(stated) : 'not stated';
  return stated === expected
    ? [[what, { ok: true, reason: `the ${what} is ${is}` }]]
    : [[what, { ok: false, reason: `the ${what} is ${is}, not ${quote(expected)}` }]];
}

function hasSource(sources: readonly Source[], uri?: string, digest?: string): Finding {
  const named = sources.filter((source) => uri === undefined || plain(source.uri) === plain(uri));
  const found = named.find(({ digests }) =>
    digest === undefined
      ? true
      : digests.some(([algorithm, hex]) => digest === hex || digest === `${algorithm}:${hex}`),
  );
  if (found !== undefined) return { ok: true, reason: `it was built from ${quote(textOf(found))}` };
  if (uri !== undefined && named.length === 0)
    return { ok: false, reason: `it was not built from ${quote(uri)}` };
  const had = named.slice(0, 3).map(textOf).map(quote).join(', ');
  return {
    ok: false,
    reason: `no source has the digest ${quote(digest ?? '')}${had === '' ? '' : `: it was built from ${had}`}`,
  };
}

function plain(uri: string): string {
  return uri.replace(/^git\+/, '').replace(/\.git$/, '');
}

function textOf({ uri, digests }: Source): string {
  const [first] = digests;
  return first === undefined ? uri : `${uri}@${first.join(':')}`;
}
