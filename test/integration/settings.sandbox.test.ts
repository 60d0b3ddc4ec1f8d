import { startSandbox } from '../../sandbox/index.ts';
import { settingsSuite } from './settings.suite.ts';

settingsSuite('the sandbox', () => startSandbox({ life: false }));
