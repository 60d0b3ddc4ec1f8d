import { startSandbox } from '../../sandbox/index.ts';
import { mangledSuite } from './mangled.suite.ts';

mangledSuite('the sandbox', () => startSandbox({ life: false }), 200);
