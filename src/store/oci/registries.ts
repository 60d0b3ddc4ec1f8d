import type { Config } from '../../config/keys.ts';
import { ChainsError } from '../../errors.ts';
import type { ClusterAccess } from '../../model/cluster-access.ts';
import { Registries } from '../../registry/registries.ts';
import { parseRepository, type Repository } from '../../registry/repository.ts';

/** The registries, reached as the configuration says, with the credentials that the cluster gives. */
export function openRegistries(config: Config, access: ClusterAccess = {}): Registries {
  const insecure = config['storage.oci.repository.insecure'];
  return new Registries({ insecure, timeout: config['limits.exchange-timeout'] }, access);
}

/** The repository to use instead of the images' own, where one is set. @throws ChainsError CONFIG_INVALID */
export function sharedRepository(config: Config): Repository | undefined {
  const name = config['storage.oci.repository'];
  if (name === undefined) return undefined;
  const repository = parseRepository(name);
  if (repository !== undefined) return repository;
  throw new ChainsError(
    'CONFIG_INVALID',
    `storage.oci.repository: \`${name}\` is not a repository; write \`HOST/PATH\` in lower case`,
  );
}
