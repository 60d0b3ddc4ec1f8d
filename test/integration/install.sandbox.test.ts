import { startSandbox } from '../../sandbox/index.ts';
import { installSuite } from './install.suite.ts';

installSuite('the sandbox', () => startSandbox({ life: false }));
