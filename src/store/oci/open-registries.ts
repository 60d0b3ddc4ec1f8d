import type { Config } from '../../config/keys.ts';
import type { StoreAccess } from '../../model/store-access.ts';
import { Registries } from '../../registry/registries.ts';

/** The registries, reached as the configuration says, with what the cluster gives of credentials. */
export function openRegistries(config: Config, access: StoreAccess = {}): Registries {
  const insecure = config['storage.oci.repository.insecure'];
  return new Registries({ insecure, timeout: config['limits.exchange-timeout'] }, access);
}
