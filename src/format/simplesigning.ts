import { ChainsError } from '../model/errors.ts';
import type { Format } from './format.ts';

/** The format `simplesigning`, for images only: what `cosign` signs and verifies (payloads.md, 10), as JSON in UTF-8. */
export const simplesigning: Format = (artifact, { name }) => {
  if (artifact.kind !== 'oci') {
    throw new ChainsError(
      'CONFIG_INVALID',
      `artifacts.${artifact.kind}.format is \`${name}\`, which is for images only; use \`tekton\``,
    );
  }
  const { image } = artifact;
  const payload = {
    critical: {
      identity: { 'docker-reference': image.repository },
      image: { 'docker-manifest-digest': image.digest },
      type: 'cosign container image signature',
    },
    optional: null,
  };
  return { bytes: Buffer.from(JSON.stringify(payload), 'utf8'), format: name };
};
