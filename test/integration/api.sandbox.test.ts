import { startSandbox } from '../../src/sandbox/index.ts';
import { apiSuite } from './api.suite.ts';

apiSuite('the API of the sandbox', () => startSandbox({ life: false }));
