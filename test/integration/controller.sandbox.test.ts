import { startSandbox } from '../../sandbox/index.ts';
import { controllerSuite } from './controller.suite.ts';

controllerSuite('the sandbox', () => startSandbox({ life: false }));
