import { hostileSuite } from '../integration/hostile.suite.ts';
import { startCluster } from './cluster.ts';

hostileSuite('a real API server', startCluster);
