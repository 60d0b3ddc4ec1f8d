import type { SignerName } from '../config/keys.ts';
import { ChainsError } from '../model/errors.ts';
import type { OpenSigner } from './signer.ts';

export { signPayload } from './dsse.ts';
export type { Secrets } from './secrets.ts';
export type { OpenSigner, Signer } from './signer.ts';

/** Every signer of the ConfigMap; one that is not built yet rejects with BACKEND_NOT_BUILT. */
export const signers: { readonly [K in Exclude<SignerName, 'none'>]: () => Promise<OpenSigner> } = {
  x509: async () => (await import('./x509.ts')).openX509,
  pgp: () => notBuilt('pgp'),
  kms: async () => (await import('./kms/index.ts')).openKms,
};

async function notBuilt(name: SignerName): Promise<never> {
  throw new ChainsError(
    'BACKEND_NOT_BUILT',
    `artifacts.taskrun.signer, artifacts.pipelinerun.signer or artifacts.oci.signer: \`${name}\` comes with a later version; use \`x509\``,
  );
}
