import { eventsSuite } from '../integration/events.suite.ts';
import { startCluster } from './cluster.ts';

eventsSuite('a real API server', startCluster);
