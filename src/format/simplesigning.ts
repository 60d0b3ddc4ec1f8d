import type { Artifact } from '../model/artifact.ts';
import type { Payload } from '../model/signature.ts';

/** The format `simplesigning`, for images only: what `cosign` signs and verifies (payloads.md, 10), as JSON in UTF-8. */
export function simplesigning({ image }: Extract<Artifact, { readonly kind: 'oci' }>): Payload {
  const payload = {
    critical: {
      identity: { 'docker-reference': image.repository },
      image: { 'docker-manifest-digest': image.digest },
      type: 'cosign container image signature',
    },
    optional: null,
  };
  return { bytes: Buffer.from(JSON.stringify(payload), 'utf8'), format: 'simplesigning' };
}
