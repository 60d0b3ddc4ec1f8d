import { mangledSuite } from '../integration/mangled.suite.ts';
import { startCluster } from './cluster.ts';

mangledSuite('a real API server', startCluster, 1_000);
