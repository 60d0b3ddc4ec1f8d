import { apiSuite } from '../integration/api.suite.ts';
import { startCluster } from './cluster.ts';

apiSuite('the API of the real kube-apiserver', startCluster);
