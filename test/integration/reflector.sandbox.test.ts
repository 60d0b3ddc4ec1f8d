import { startSandbox } from '../../sandbox/index.ts';
import { reflectorSuite } from './reflector.suite.ts';

reflectorSuite('the sandbox', () => startSandbox({ life: false, bookmarkEvery: 500 }));
