import { controllerSuite } from '../integration/controller.suite.ts';
import { startCluster } from './cluster.ts';

controllerSuite('a real API server', startCluster);
