import { startSandbox } from '../../src/sandbox/index.ts';
import { pipelineRunsSuite } from './pipelineruns.suite.ts';

pipelineRunsSuite('the sandbox', () => startSandbox({ life: false }));
