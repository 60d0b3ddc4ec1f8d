import { membersSuite } from '../integration/members.suite.ts';
import { startCluster } from './cluster.ts';

membersSuite('a real API server', startCluster);
