import { version } from '../version.ts';

/** What we call ourselves to servers: `tekton-chains/<version>`. */
export const userAgent = `tekton-chains/${version}`;
