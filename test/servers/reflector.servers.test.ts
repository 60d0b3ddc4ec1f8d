import { reflectorSuite } from '../integration/reflector.suite.ts';
import { startCluster } from './cluster.ts';

reflectorSuite('kube-apiserver', startCluster);
