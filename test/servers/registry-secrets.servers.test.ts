import { registrySecretsSuite } from '../integration/registry-secrets.suite.ts';
import { startCluster } from './cluster.ts';

registrySecretsSuite('a real API server', startCluster);
