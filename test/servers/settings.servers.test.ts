import { settingsSuite } from '../integration/settings.suite.ts';
import { startCluster } from './cluster.ts';

settingsSuite('a real API server', startCluster);
