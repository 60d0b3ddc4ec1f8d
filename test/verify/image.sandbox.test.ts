import { startRegistry } from '../../sandbox/registry/index.ts';
import { verifyImageSuite } from './image.suite.ts';

verifyImageSuite("verifying images in the sandbox's registry", () => startRegistry(), 4);
verifyImageSuite(
  "verifying images in the sandbox's registry without referrers API",
  () => startRegistry({ referrers: false }),
  4,
);
