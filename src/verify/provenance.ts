import { at, type Json, listAt, member, objectIn, textIn } from '../json.ts';
import { quote } from '../text.ts';
import { type Check, checksOf, type Finding, type Findings, no, yes } from './finding.ts';

/** What provenance must say besides being about the right run or image; what is left out may be anything. */
export interface Expectations {
  readonly builderId?: string | undefined;
  /** A source by its URI, with or without the `git+` before it and the `.git` after it that provenance writes. */
  readonly sourceUri?: string | undefined;
  /** `ALG:HEX` or just the hex, of that source if there is a `sourceUri`, else of any. */
  readonly sourceDigest?: string | undefined;
  readonly buildType?: string | undefined;
  /** That the provenance is SLSA v1.0. */
  readonly require?: 'slsa-v1' | undefined;
}

const proven = Symbol('proven');

/** Provenance whose signature and content were checked and hold; only this is compared with expectations. */
export interface Proof {
  /** What it is called in checks. */
  readonly name: string;
  readonly statement: Json;
  /** Private to this file, so that only `provenanceIn` makes proofs. */
  readonly [proven]: true;
}

/** The provenance in a payload whose checks all hold; undefined for other statements, such as cosign's in a bundle. */
export function provenanceIn(name: string, statement: Json | undefined): Proof | undefined {
  const isProvenance = textIn(member(statement, 'predicateType')).startsWith('https://slsa.dev/provenance/');
  return statement !== undefined && isProvenance ? { name, statement, [proven]: true } : undefined;
}

/** A check for each expectation of each piece of provenance; a failed one if something is expected and nothing is proven. */
export function expectationChecks(provenance: readonly Proof[], expected: Expectations): readonly Check[] {
  if (Object.values(expected).every((value) => value === undefined)) return [];
  if (provenance.length === 0)
    return checksOf([['provenance', no('there is no provenance that could say what is expected of it')]]);
  return provenance.flatMap(({ name, statement }) => checksOf(compare(statement, expected), `${name} `));
}

function compare(statement: Json, expected: Expectations): Findings {
  const predicate = member(statement, 'predicate');
  const buildType = at(predicate, 'buildDefinition', 'buildType') ?? member(predicate, 'buildType');
  const predicateType = expected.require && 'https://slsa.dev/provenance/v1';
  const { sourceUri, sourceDigest } = expected;
  const hasExpectedSource = sourceUri !== undefined || sourceDigest !== undefined;
  return [
    ...asExpected('builder', builderOf(predicate), expected.builderId),
    ...asExpected('build type', buildType, expected.buildType),
    ...asExpected('predicate', member(statement, 'predicateType'), predicateType),
    ...(hasExpectedSource
      ? [['source', hasSource(sourcesOf(predicate), sourceUri, sourceDigest)] as const]
      : []),
  ];
}

function asExpected(what: string, stated: Json | undefined, expected: string | undefined): Findings {
  if (expected === undefined) return [];
  const is = `the ${what} is ${typeof stated === 'string' ? quote(stated) : 'not stated'}`;
  return [[what, stated === expected ? yes(is) : no(`${is}, not ${quote(expected)}`)]];
}

/** Something that went into a build. */
interface Source {
  readonly uri: string;
  readonly digests: readonly (readonly [algorithm: string, hex: string])[];
}

/** The builder that provenance names. */
export function builderOf(predicate: Json | undefined): Json | undefined {
  return at(predicate, 'runDetails', 'builder', 'id') ?? at(predicate, 'builder', 'id');
}

/** What went into a build, in either version of the predicate. */
export function sourcesOf(predicate: Json | undefined): readonly Source[] {
  const list = at(predicate, 'buildDefinition', 'resolvedDependencies') ?? member(predicate, 'materials');
  return listAt(list).map((one) => ({
    uri: textIn(member(one, 'uri')),
    digests: Object.entries(objectIn(member(one, 'digest'))).map(
      ([algorithm, hex]) => [algorithm, textIn(hex)] as const,
    ),
  }));
}

function hasSource(sources: readonly Source[], uri?: string, digest?: string): Finding {
  const named = sources.filter((source) => uri === undefined || plain(source.uri) === plain(uri));
  const found = named.find(
    ({ digests }) =>
      digest === undefined ||
      digests.some(([algorithm, hex]) => digest === hex || digest === `${algorithm}:${hex}`),
  );
  if (found !== undefined) return yes(`it was built from ${quote(textOf(found))}`);
  if (uri !== undefined && named.length === 0) return no(`it was not built from ${quote(uri)}`);
  const had = named.slice(0, 3).map(textOf).map(quote).join(', ');
  return no(
    `no source has the digest ${quote(digest ?? '')}${had === '' ? '' : `: it was built from ${had}`}`,
  );
}

function plain(uri: string): string {
  return uri.replace(/^git\+/, '').replace(/\.git$/, '');
}

function textOf({ uri, digests }: Source): string {
  const [first] = digests;
  return first === undefined ? uri : `${uri}@${first.join(':')}`;
}
