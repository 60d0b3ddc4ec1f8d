import { killedSuite } from '../integration/killed.suite.ts';
import { startCluster } from './cluster.ts';

killedSuite('a real API server', startCluster, { runs: 300, kills: 12 });
