import { type FormatFolder, type FormatName, formatFolders } from '../config/keys.ts';
import type { Format } from './format.ts';

/** What makes payloads, by the file or folder here that does it. */
export const formats: { readonly [K in FormatFolder]: () => Promise<Format> } = {
  tekton: async () => (await import('./tekton.ts')).tekton,
  simplesigning: async () => (await import('./simplesigning.ts')).simplesigning,
  'slsa-v0.2': async () => (await import('./slsa-v0.2/index.ts')).slsaV02,
  'slsa-v1': async () => (await import('./slsa-v1/index.ts')).slsaV1,
};

/** The format that the ConfigMap calls by this name. */
export function loadFormat(name: FormatName): Promise<Format> {
  return formats[formatFolders[name]]();
}
