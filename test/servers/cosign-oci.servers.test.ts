import { startRegistry } from '../../sandbox/registry/index.ts';
import { cosignSuite } from './cosign.suite.ts';
import { startDockerRegistry, startReferrersRegistry } from './registries.ts';

cosignSuite('cosign on the real docker-registry', () => startDockerRegistry());
cosignSuite('cosign on a real registry with referrers', startReferrersRegistry);
cosignSuite("cosign on the sandbox's registry", () => startRegistry());
