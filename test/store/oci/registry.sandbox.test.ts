import { startRegistry } from '../../../sandbox/registry/index.ts';
import { registrySuite } from './registry.suite.ts';

registrySuite("the store oci on the sandbox's registry", () => startRegistry(), 4);
registrySuite(
  "the store oci on the sandbox's registry without referrers API",
  () => startRegistry({ referrers: false }),
  4,
);
