import { pipelineRunsSuite } from '../integration/pipelineruns.suite.ts';
import { startCluster } from './cluster.ts';

pipelineRunsSuite('a real API server', startCluster);
