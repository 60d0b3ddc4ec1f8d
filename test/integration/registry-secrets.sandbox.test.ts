import { startSandbox } from '../../sandbox/index.ts';
import { registrySecretsSuite } from './registry-secrets.suite.ts';

registrySecretsSuite('the sandbox', () => startSandbox({ life: false }));
