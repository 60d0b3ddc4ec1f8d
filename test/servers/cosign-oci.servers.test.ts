import { cosignSuite } from './cosign.suite.ts';
import { startDockerRegistry, startReferrersRegistry } from './registries.ts';

cosignSuite('cosign on the real docker-registry', startDockerRegistry);
cosignSuite('cosign on a real registry with referrers', startReferrersRegistry);
