import { sigstoreControllerSuite } from './sigstore-controller.suite.ts';
import { sigstoreJudgesSuite } from './sigstore-judges.suite.ts';
import { sigstoreTroublesSuite } from './sigstore-troubles.suite.ts';

// One after the other: two timestamp servers on one machine want the same port for their metrics.
sigstoreJudgesSuite();
sigstoreTroublesSuite();
sigstoreControllerSuite();
