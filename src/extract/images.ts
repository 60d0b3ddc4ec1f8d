import { fullNameOf, type NamedImage } from '../model/image.ts';
import type { Report } from '../model/problem.ts';
import { textOf } from '../model/tekton/value.ts';
import { trim } from '../model/tekton/white-space.ts';
import { parseImageDigest } from './digest.ts';
import { type Hint, imagePair, pairsIn, type Structure } from './hints.ts';
import { parseImageReference } from './image-reference.ts';
import type { Result } from './results.ts';

/** The images that a list of results names, in this order: image pairs, `IMAGES`, build artifacts (payloads.md, 3.1). */
export function imagesIn(
  results: readonly Result[],
  outputs: readonly Structure[],
  report: Report,
): readonly NamedImage[] {
  const pairs = pairsIn(results, imagePair, report);
  return [
    ...pairs.flatMap((pair) => imageOf(pair, report)),
    ...entriesOfImages(results, report),
    ...outputs.filter((output) => output.isBuildArtifact).flatMap((output) => imageOf(output, report)),
  ];
}

/** The image that a hint names; none when the name or digest is bad. */
export function imageOf(hint: Hint, report: Report): readonly NamedImage[] {
  const { uri, digest, at, digestAt, names } = hint;
  const read = parseImageDigest(digest);
  if (!read.ok) {
    report(`${digestAt}.value`, `${names}: no image, as the digest ${read.wrong}`);
    return [];
  }
  return checked(`${uri}@${digest}`, at, names, report);
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
function entriesOfImages(results: readonly Result[], report: Report): readonly NamedImage[] {
  return results
    .filter((result) => result.name === 'IMAGES')
    .flatMap((result) => {
      const at = `${result.at}.value`;
      const { value } = result;
      if (value?.kind === 'list' || value?.kind === 'object') {
        report(
          at,
          '"IMAGES" must be a string, with commas or line feeds between entries; it counts as empty',
        );
      }
      return textOf(value)
        .split(/[,\n]/)
        .map(trim)
        .filter((entry) => entry !== '')
        .flatMap((entry) => checked(entry, result.at, 'an entry of "IMAGES"', report));
    });
}

function checked(text: string, at: string, names: string, report: Report): readonly NamedImage[] {
  const read = parseImageReference(text);
  if (read.ok) return [{ image: read.value, at, names }];
  report(`${at}.value`, `${names}: no image, as it ${read.wrong}`);
  return [];
}
