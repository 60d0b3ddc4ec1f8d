import { startSandbox } from '../../sandbox/index.ts';
import { pipelineRunsSuite } from './pipelineruns.suite.ts';

pipelineRunsSuite('the sandbox', () => startSandbox({ life: false }));
