import type { Config, FormatName } from '../config/keys.ts';
import type { Artifact } from '../model/artifact.ts';
import { ChainsError } from '../model/errors.ts';
import type { Payload } from '../model/signature.ts';

/**
 * Makes an artifact's payload. The same run and configuration give the same bytes.
 * @throws ChainsError RUN_UNREADABLE when a field it needs is missing or of the wrong type.
 */
export type Format = (artifact: Artifact, config: Config) => Payload;

/** Every format of the ConfigMap; one that is not built yet rejects with BACKEND_NOT_BUILT. */
export const formats: { readonly [K in FormatName]: () => Promise<Format> } = {
  tekton: async () => (await import('./tekton.ts')).tekton,
  simplesigning: async () => {
    const { simplesigning } = await import('./simplesigning.ts');
    return (artifact) => {
      if (artifact.kind === 'oci') return simplesigning(artifact);
      throw new ChainsError(
        'CONFIG_INVALID',
        `artifacts.${artifact.kind}.format is \`simplesigning\`, which is for images only; use \`tekton\``,
      );
    };
  },
  'in-toto': () => notBuilt('in-toto'),
  'slsa/v1': () => notBuilt('slsa/v1'),
  'slsa/v2alpha3': () => notBuilt('slsa/v2alpha3'),
  'slsa/v2alpha4': () => notBuilt('slsa/v2alpha4'),
};

async function notBuilt(name: FormatName): Promise<never> {
  throw new ChainsError(
    'BACKEND_NOT_BUILT',
    `artifacts.taskrun.format or artifacts.pipelinerun.format: \`${name}\` comes with a later version; use \`tekton\``,
  );
}
