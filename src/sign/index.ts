import type { SignerName } from '../config/keys.ts';
import type { OpenSigner } from './signer.ts';

export { signPayload } from './signer.ts';
export type { Secrets } from './secrets.ts';
export type { OpenSigner, Signer } from './signer.ts';

/** Every signer of the ConfigMap. */
export const signers: { readonly [K in Exclude<SignerName, 'none'>]: () => Promise<OpenSigner> } = {
  x509: async () => (await import('./x509.ts')).openX509,
  pgp: async () => (await import('./pgp.ts')).openPgp,
  kms: async () => {
    const { openKms } = await import('./kms/index.ts');
    return (config) => openKms(config);
  },
};
