import { gcsSuite } from '../store/gcs.suite.ts';
import { startFakeGcs } from './gcs.ts';

gcsSuite('fake-gcs-server', startFakeGcs);
