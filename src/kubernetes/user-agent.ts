import { version } from '../model/version.ts';

/** What we call ourselves to servers: `tekton-chains/<version>`. */
export const userAgent = `tekton-chains/${version}`;
