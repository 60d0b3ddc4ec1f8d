import { registrySuite } from '../store/oci/registry.suite.ts';
import { startDockerRegistry, startReferrersRegistry } from './registries.ts';

registrySuite('the store oci on the real docker-registry', () => startDockerRegistry());
registrySuite('the store oci on a real registry with referrers', startReferrersRegistry);
