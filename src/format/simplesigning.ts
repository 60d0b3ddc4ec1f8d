import type { FormatName } from '../config/keys.ts';
import { ChainsError } from '../errors.ts';
import type { ImageReference } from '../model/image.ts';
import type { Payload } from '../model/signature.ts';
import type { Format } from './format.ts';
import { type Statement, statementPayload } from './statement.ts';

/**
 * The format `simplesigning`, for images only: what `cosign` signs and verifies (payloads.md, 10), as JSON in UTF-8. In a
 * Sigstore bundle that is a statement that says nothing but which image it is about.
 */
export const simplesigning: Format = (artifact, { name, bundled }) => {
  if (artifact.kind !== 'oci') {
    throw new ChainsError(
      'CONFIG_INVALID',
      `artifacts.${artifact.kind}.format is \`${name}\`, which is for images only; use \`tekton\``,
    );
  }
  const { image } = artifact;
  if (bundled) return bundledPayload(image, name);
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

function bundledPayload({ repository, digest }: ImageReference, name: FormatName): Payload {
  const [algorithm = '', hex = ''] = digest.split(':');
  const statement: Statement<object> = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: repository, digest: { [algorithm]: hex } }],
    predicateType: 'https://sigstore.dev/cosign/sign/v1',
    predicate: {},
  };
  return statementPayload(() => statement, name);
}
