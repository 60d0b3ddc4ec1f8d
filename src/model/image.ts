/** An image by its repository, normalised as Docker does, and its digest (payloads.md, 2.1). */
export interface ImageReference {
  /** Registry and repository: `index.docker.io/library/busybox`. */
  readonly repository: string;
  /** `sha256:` and 64 hex digits. */
  readonly digest: string;
}

/** An image that a run says it built, and the field that names it. */
export interface NamedImage {
  readonly image: ImageReference;
  /** `status.results[0]` */
  readonly at: string;
  /** What names it there, for people: `"IMAGE_URL" and "IMAGE_DIGEST"`. */
  readonly names: string;
}

/** `repository@digest`, the full name of an image. */
export function fullNameOf(image: ImageReference): string {
  return `${image.repository}@${image.digest}`;
}
