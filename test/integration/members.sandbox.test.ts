import { startSandbox } from '../../sandbox/index.ts';
import { membersSuite } from './members.suite.ts';

membersSuite('the sandbox', () => startSandbox({ life: false }));
