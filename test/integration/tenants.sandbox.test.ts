import { startSandbox } from '../../sandbox/index.ts';
import { tenantsSuite } from './tenants.suite.ts';

tenantsSuite('the sandbox', () => startSandbox({ life: false }));
