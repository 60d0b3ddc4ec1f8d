import type { Config } from '../../config/keys.ts';
import type { Signer } from '../signer.ts';
import {
  failures,
  type KeyReference,
  type KeyService,
  type KeyVersion,
  type OpenKeyService,
} from './service.ts';
import { type KmsPace, openKmsSigner } from './signer.ts';

/** The KMSs by the scheme of `signers.kms.kmsref`. A cloud's library is loaded only when its scheme is used. */
export const keyServices: { readonly [K in KeyReference['scheme']]: () => Promise<OpenKeyService> } = {
  gcpkms: async () => (await import('./gcp.ts')).openGcp,
  hashivault: async () => (await import('./vault/index.ts')).openVault,
  openbao: async () => (await import('./vault/index.ts')).openVault,
  awskms: async () => (await import('./aws.ts')).openAws,
  azurekms: async () => (await import('./azure.ts')).openAzure,
};

/** What tests change. */
export interface KmsOptions extends Partial<KmsPace> {
  readonly environment?: NodeJS.ProcessEnv;
}

/**
 * Opens the signer `kms`: a key in the KMS that `signers.kms.kmsref` names (behaviour.md, "Signers").
 * @throws ChainsError KMS_REFUSED or KMS_UNAVAILABLE; both are worth another try.
 */
export async function openKms(
  config: Config,
  { environment = process.env, timeout = 10_000, refresh = 300_000 }: KmsOptions = {},
): Promise<Signer> {
  const { service, reference } = await openKeyService(config, environment);
  return openKmsSigner(service, reference.text, { timeout, refresh });
}

/** The version of the key that signs now, for verifying. @throws ChainsError KMS_REFUSED or KMS_UNAVAILABLE */
export async function readKeyVersion(config: Config): Promise<KeyVersion> {
  const { service, reference } = await openKeyService(config, process.env);
  const what = `fetch the public key of ${reference.text}`;
  try {
    return await failures.within(10_000, what, undefined, (signal) => service.keyVersion(signal));
  } finally {
    await service.close();
  }
}

async function openKeyService(
  config: Config,
  environment: NodeJS.ProcessEnv,
): Promise<{ readonly service: KeyService; readonly reference: KeyReference }> {
  const reference = config['signers.kms.kmsref'];
  if (reference === undefined) {
    throw failures.unusable(
      'signers.kms.kmsref is not set, and the signer `kms` needs it: name a key, e.g. `hashivault://NAME`',
    );
  }
  const open = await keyServices[reference.scheme]();
  return { service: await open({ reference, config, environment }), reference };
}
