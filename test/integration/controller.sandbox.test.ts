import { startSandbox } from '../../src/sandbox/index.ts';
import { controllerSuite } from './controller.suite.ts';

controllerSuite('the sandbox', () => startSandbox({ life: false }));
