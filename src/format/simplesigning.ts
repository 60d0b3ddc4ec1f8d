import { ChainsError } from '../errors.ts';
import type { Format } from './format.ts';
import { type Statement, statementPayload } from './statement.ts';
import { subjectsOfImage } from './subjects.ts';

/**
 * The format `simplesigning`, for images only: what `cosign` signs and verifies (payloads.md, 10), as JSON in UTF-8. In a
 * Sigstore bundle it is a statement that only names the image.
 */
export const simplesigning: Format = (artifact, { name, bundled }) => {
  if (artifact.kind !== 'oci') {
    throw new ChainsError(
      'CONFIG_INVALID',
      `artifacts.${artifact.kind}.format is \`${name}\`, which is for images only; use \`tekton\``,
    );
  }
  const { image } = artifact;
  if (bundled) {
    const statement: Statement = {
      _type: 'https://in-toto.io/Statement/v1',
      subject: subjectsOfImage(image),
      predicateType: 'https://sigstore.dev/cosign/sign/v1',
      predicate: {},
    };
    return statementPayload(() => statement, name);
  }
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
