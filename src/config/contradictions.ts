import type { ArtifactKind } from '../model/artifact.ts';
import type { Config, StoreName } from './keys.ts';
import { planFor } from './plan.ts';

const kinds: readonly ArtifactKind[] = ['taskrun', 'pipelinerun', 'oci'];

/** What of a configuration can't work together, one line each (transparency.md, "Configuration"). */
export function contradictionsIn(config: Config): readonly string[] {
  const { 'transparency.enabled': log, 'transparency.api': api, 'transparency.tsa.url': timestamps } = config;
  const unproven =
    log !== 'false' && api === 'v2' && timestamps === undefined
      ? ['transparency.api is "v2", whose entries prove no time: set transparency.tsa.url, or use v1']
      : [];
  const unlogged =
    log === 'true'
      ? signedBy(config, 'pgp').map(
          (kind) =>
            `artifacts.${kind}.signer is "pgp", whose signatures the transparency log does not take: use another signer, or set transparency.enabled to "false" or "manual"`,
        )
      : [];
  const unstamped =
    timestamps === undefined
      ? []
      : signedBy(config, 'pgp').map(
          (kind) =>
            `artifacts.${kind}.signer is "pgp", whose signatures get no timestamps: use another signer, or unset transparency.tsa.url`,
        );
  return [...unproven, ...unlogged, ...unstamped];
}

/** What of a configuration works, but not as far as its author may think, one line each. */
export function doubtsAbout(config: Config): readonly string[] {
  const { 'transparency.enabled': log, 'transparency.tsa.url': timestamps } = config;
  const keyless = config['signers.x509.fulcio.enabled'] ? signedBy(config, 'x509') : [];
  const uncertified = keyless
    .filter((kind) => planFor(config, kind).stores.every((store) => withoutCertificates.includes(store)))
    .map(
      (kind) =>
        `artifacts.${kind}.storage names only stores that keep no certificates, so that what is signed without a key can't be verified from there: add another store`,
    );
  const unproven =
    keyless.length > 0 && log !== 'true' && timestamps === undefined
      ? [
          'signers.x509.fulcio.enabled is "true" without transparency.tsa.url, and transparency.enabled is not "true": nothing proves that a signature was made while its certificate was valid, so that it verifies for ten minutes only',
        ]
      : [];
  return [...unproven, ...uncertified];
}

/** Stores that keep an envelope or a signature alone. */
const withoutCertificates: readonly StoreName[] = ['grafeas', 'archivista', 'pubsub'];

function signedBy(config: Config, signer: Config['artifacts.taskrun.signer']): readonly ArtifactKind[] {
  return kinds.filter((kind) => {
    const plan = planFor(config, kind);
    return plan.off === undefined && plan.signer === signer;
  });
}
