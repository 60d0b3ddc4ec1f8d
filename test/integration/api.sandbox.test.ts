import { startSandbox } from '../../sandbox/index.ts';
import { apiSuite } from './api.suite.ts';

apiSuite('the API of the sandbox', () => startSandbox({ life: false }));
