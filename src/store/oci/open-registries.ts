import type { Config } from '../../config/keys.ts';
import type { ClusterAccess } from '../../model/cluster-access.ts';
import { Registries } from '../../registry/registries.ts';

/** The registries, reached as the configuration says, with what the cluster gives of credentials. */
export function openRegistries(config: Config, access: ClusterAccess = {}): Registries {
  const insecure = config['storage.oci.repository.insecure'];
  return new Registries({ insecure, timeout: config['limits.exchange-timeout'] }, access);
}
