import type { ArtifactKind } from '../model/artifact.ts';
import type { Config, StoreName } from './keys.ts';
import { artifactKinds, planFor } from './plan.ts';

/** What can't work together in a configuration, one line each (transparency.md, "Configuration"). */
export function contradictionsIn(config: Config): readonly string[] {
  const { 'transparency.enabled': log, 'transparency.api': api, 'transparency.tsa.url': timestamps } = config;
  const found: string[] = [];
  if (log !== 'false' && api === 'v2' && timestamps === undefined)
    found.push('transparency.api is "v2", whose entries prove no time: set transparency.tsa.url, or use v1');
  const pgp = signedBy(config, 'pgp').map((kind) => `artifacts.${kind}.signer is "pgp", whose signatures`);
  if (log === 'true')
    found.push(
      ...pgp.map(
        (what) =>
          `${what} the transparency log does not take: use another signer, or set transparency.enabled to "false" or "manual"`,
      ),
    );
  if (timestamps !== undefined)
    found.push(
      ...pgp.map((what) => `${what} get no timestamps: use another signer, or unset transparency.tsa.url`),
    );
  return found;
}

/** Stores that keep an envelope or a signature without its certificate. */
const withoutCertificates: readonly StoreName[] = ['grafeas', 'archivista', 'pubsub'];

/** What works, but less well than the author of a configuration may expect, one line each. */
export function doubtsAbout(config: Config): readonly string[] {
  const { 'transparency.enabled': log, 'transparency.tsa.url': timestamps } = config;
  const keyless = config['signers.x509.fulcio.enabled'] ? signedBy(config, 'x509') : [];
  const found: string[] = [];
  if (keyless.length > 0 && log !== 'true' && timestamps === undefined)
    found.push(
      'signers.x509.fulcio.enabled is "true" without transparency.tsa.url, and transparency.enabled is not "true": nothing proves that a signature was made while its certificate was valid, so that it verifies for ten minutes only',
    );
  for (const kind of keyless) {
    if (planFor(config, kind).stores.every((store) => withoutCertificates.includes(store)))
      found.push(
        `artifacts.${kind}.storage names only stores that keep no certificates, so that what is signed without a key can't be verified from there: add another store`,
      );
  }
  return found;
}

function signedBy(config: Config, signer: Config['artifacts.taskrun.signer']): readonly ArtifactKind[] {
  return artifactKinds.filter((kind) => {
    const plan = planFor(config, kind);
    return plan.off === undefined && plan.signer === signer;
  });
}
