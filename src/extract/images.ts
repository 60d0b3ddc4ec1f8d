import { createHash } from 'node:crypto';
import type { Artifact } from '../model/artifact.ts';
import { fullNameOf, type NamedImage } from '../model/image.ts';
import type { Run } from '../model/run.ts';
import { textOf } from '../tekton/value.ts';
import { trim } from '../tekton/white-space.ts';
import { quote } from '../text.ts';
import { parseImageDigest } from './digest.ts';
import { parseImageReference } from './image-reference.ts';
import {
  type Hint,
  imagePair,
  pairsIn,
  type Reading,
  type Result,
  type Structure,
  structureName,
} from './results.ts';

/** The images that a list of results names, in this order: image pairs, `IMAGES`, build artifacts (payloads.md, 3.1). */
export function imagesIn(
  results: readonly Result[],
  outputs: readonly Structure[],
  reading: Reading,
): readonly NamedImage[] {
  return [
    ...pairsIn(results, imagePair, reading.report).flatMap((pair) => imageOf(pair, reading)),
    ...results.filter(({ name }) => name === 'IMAGES').flatMap((result) => entriesOf(result, reading)),
    ...outputs.filter((output) => output.isBuildArtifact).flatMap((output) => imageOfOutput(output, reading)),
  ];
}

/** The image that a hint names; none when the name or digest is invalid. */
export function imageOf({ uri, digest, at, digestAt, names }: Hint, reading: Reading): readonly NamedImage[] {
  const read = parseImageDigest(digest);
  if (read.ok) return imageIn(`${uri}@${digest}`, at, names, reading);
  reading.report(`${digestAt}.value`, `${names}: no image, as the digest ${read.wrong}`);
  return [];
}

/** The image that an artifact's structure names. One that was never meant as an image is only a subject, and not reported. */
function imageOfOutput(output: Structure, reading: Reading): readonly NamedImage[] {
  const meansImage = output.read.algorithm === 'sha256' && !isOtherUri(output.uri);
  const isImage = parseImageReference(`${output.uri}@${output.digest}`).ok;
  return isImage || meansImage ? imageOf(output, reading) : [];
}

/** Whether a URI has a scheme that names no image; a host with a port has none. */
function isOtherUri(uri: string): boolean {
  const [, scheme] = /^([A-Za-z][A-Za-z0-9+.-]{0,40}):(?!\d{1,5}(?:\/|$))/.exec(uri) ?? [];
  return scheme !== undefined && !imageSchemes.has(scheme.toLowerCase());
}

/** The schemes that tools put in front of an image's name. */
const imageSchemes: ReadonlySet<string> = new Set(['docker', 'oci']);

/** The first of the images with the same full name. */
export function firstOfEach(images: readonly NamedImage[]): readonly NamedImage[] {
  const byName = Map.groupBy(images, ({ image }) => fullNameOf(image));
  return [...byName.values()].flatMap(([first]) => first ?? []);
}

/** The entries of a result `IMAGES`, separated by commas or line feeds; empty ones are skipped. */
function entriesOf({ at, value }: Result, reading: Reading): readonly NamedImage[] {
  if (structureName(value) !== undefined) {
    const fault = '"IMAGES" must be a string, with commas or line feeds between entries; it is ignored';
    reading.report(`${at}.value`, fault);
  }
  return textOf(value)
    .split(/[,\n]/)
    .map(trim)
    .filter((entry) => entry !== '')
    .flatMap((entry) => imageIn(entry, at, 'an entry of "IMAGES"', reading));
}

function imageIn(
  text: string,
  at: string,
  names: string,
  { report, asWritten }: Reading,
): readonly NamedImage[] {
  // The scheme says where to find the image and is not part of its name.
  const named = asWritten ? text : text.replace(/^(?:docker|oci):\/\/(?=[^/])/, '');
  const read = parseImageReference(named);
  if (!read.ok) {
    report(`${at}.value`, `${names}: no image, as it ${read.wrong}`);
    return [];
  }
  if (named !== text) {
    report(
      `${at}.value`,
      `${names}: the image is read as ${quote(fullNameOf(read.value))}, without the scheme in ${quote(text)}; leave the scheme out`,
    );
  }
  return [{ image: read.value, at, names }];
}

/** With it a key has 45 characters, so that an annotation's name, `signature-…`, stays below the 63 that are allowed. */
const suffixLength = 32;

/**
 * The images that a run built as artifacts, in the order in which the run names them. The first one is stored under the
 * first 12 hex digits of its digest; another one with the same digits has a suffix made of its full name.
 */
export function imageArtifacts(run: Run, images: readonly NamedImage[]): readonly Artifact[] {
  const taken = new Set<string>();
  return images.map(({ image, at, names }) => {
    const key = image.digest.slice('sha256:'.length).slice(0, 12);
    const fullKey = fullNameOf(image);
    const own = taken.has(key) ? { ownKey: `${key}-${suffixOf(fullKey)}` } : {};
    taken.add(key);
    return { kind: 'oci', run, key, fullKey, image, source: at, names, ...own };
  });
}

/** Long enough that no other name with the same suffix can be found. */
function suffixOf(fullName: string): string {
  return createHash('sha256').update(fullName).digest('hex').slice(0, suffixLength);
}
