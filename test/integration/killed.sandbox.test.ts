import { startSandbox } from '../../sandbox/index.ts';
import { killedSuite } from './killed.suite.ts';

killedSuite('the sandbox', () => startSandbox({ life: false }), { runs: 60, kills: 4 });
