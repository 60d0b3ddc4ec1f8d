import { createHash } from 'node:crypto';
import type { Artifact } from '../model/artifact.ts';
import { fullNameOf, type NamedImage } from '../model/image.ts';
import type { Report } from '../model/problem.ts';
import type { Run } from '../model/run.ts';
import { textOf } from '../tekton/value.ts';
import { trim } from '../tekton/white-space.ts';
import { quote } from '../text.ts';
import { parseImageDigest } from './digest.ts';
import { type Hint, imagePair, pairsIn, type Structure } from './hints.ts';
import { parseImageReference } from './image-reference.ts';
import type { Result } from './results.ts';

/** How images are read. */
export interface ImageReading {
  readonly report: Report;
  /** True where names count as they are written, schemes before them included. */
  readonly asWritten?: boolean | undefined;
}

/** The images that a list of results names, in this order: image pairs, `IMAGES`, build artifacts (payloads.md, 3.1). */
export function imagesIn(
  results: readonly Result[],
  outputs: readonly Structure[],
  { report, asWritten }: ImageReading,
): readonly NamedImage[] {
  const reading = { report, asWritten };
  const pairs = pairsIn(results, imagePair, report);
  return [
    ...pairs.flatMap((pair) => imageOf(pair, reading)),
    ...entriesOfImages(results, reading),
    ...outputs.filter((output) => output.isBuildArtifact).flatMap((output) => imageOfOutput(output, reading)),
  ];
}

/** The image that a hint names; none when the name or digest is bad. */
export function imageOf(hint: Hint, reading: ImageReading): readonly NamedImage[] {
  const { uri, digest, at, digestAt, names } = hint;
  const read = parseImageDigest(digest);
  if (!read.ok) {
    reading.report(`${digestAt}.value`, `${names}: no image, as the digest ${read.wrong}`);
    return [];
  }
  return checked(`${uri}@${digest}`, at, names, reading);
}

/** The image that an artifact's structure names. One that was never meant as an image is a subject and no problem. */
function imageOfOutput(output: Structure, reading: ImageReading): readonly NamedImage[] {
  const meansImage = output.read.algorithm === 'sha256' && !isOtherUri(output.uri);
  const isRefused = !parseImageReference(`${output.uri}@${output.digest}`).ok;
  return isRefused && !meansImage ? [] : imageOf(output, reading);
}

/** A URI with a scheme that names no image; what precedes a port is a host. */
function isOtherUri(uri: string): boolean {
  const [, scheme] = /^([A-Za-z][A-Za-z0-9+.-]{0,40}):(?!\d{1,5}(?:\/|$))/.exec(uri) ?? [];
  return scheme !== undefined && !imageSchemes.has(scheme.toLowerCase());
}

/** The schemes that tools put before an image's name. */
const imageSchemes: ReadonlySet<string> = new Set(['docker', 'oci']);

/** `docker://` and `oci://` before a name say where to find it, and are not part of it. */
function withoutScheme(text: string): string {
  const [, name] = /^(?:docker|oci):\/\/(?=[^/])([^]*)$/.exec(text) ?? [];
  return name ?? text;
}

/** Of images with the same full name the first. */
export function firstOfEach(images: readonly NamedImage[]): readonly NamedImage[] {
  const firsts = new Map<string, NamedImage>();
  for (const one of images) {
    const name = fullNameOf(one.image);
    if (!firsts.has(name)) firsts.set(name, one);
  }
  return [...firsts.values()];
}

/** The entries of every result named exactly `IMAGES`, separated by commas or line feeds; empty ones say nothing. */
function entriesOfImages(results: readonly Result[], reading: ImageReading): readonly NamedImage[] {
  return results
    .filter((result) => result.name === 'IMAGES')
    .flatMap((result) => {
      const at = `${result.at}.value`;
      const { value } = result;
      if (value?.kind === 'list' || value?.kind === 'object') {
        reading.report(
          at,
          '"IMAGES" must be a string, with commas or line feeds between entries; it counts as empty',
        );
      }
      return textOf(value)
        .split(/[,\n]/)
        .map(trim)
        .filter((entry) => entry !== '')
        .flatMap((entry) => checked(entry, result.at, 'an entry of "IMAGES"', reading));
    });
}

function checked(
  text: string,
  at: string,
  names: string,
  { report, asWritten = false }: ImageReading,
): readonly NamedImage[] {
  const named = asWritten ? text : withoutScheme(text);
  const read = parseImageReference(named);
  if (read.ok && named !== text) {
    report(
      `${at}.value`,
      `${names}: the image is taken as ${quote(fullNameOf(read.value))}, without what stands before its name in ${quote(text)}; leave that out`,
    );
  }
  if (read.ok) return [{ image: read.value, at, names }];
  report(`${at}.value`, `${names}: no image, as it ${read.wrong}`);
  return [];
}

/** A key with it is 45 characters long, and so an annotation's name, `signature-…`, stays below the 63 that it may have. */
const suffixLength = 32;

/**
 * The images that a run built as artifacts, in the order in which the run names them. The first of those whose digests
 * begin with the same 12 hex digits is stored under them; a further one, of another repository or another digest, under
 * a key that its full name makes its own.
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

/** Long enough that no second name with the same one can be found. */
function suffixOf(fullName: string): string {
  return createHash('sha256').update(fullName).digest('hex').slice(0, suffixLength);
}
