import { ChainsError } from '../errors.ts';
import { listAt } from '../json.ts';
import type { Run } from '../model/run.ts';
import { extract } from './index.ts';

/** The hosts of the registries that the images of a finished run are in, each once. */
export function registryHostsOf(run: Run): readonly string[] {
  if (run.progress.state !== 'done' || !mayNameImages(run)) return [];
  const repositories = extract(run).artifacts.flatMap((artifact) => {
    if (artifact.kind === 'oci') return [artifact.image.repository];
    const { evidence } = artifact;
    return evidence instanceof ChainsError ? [] : evidence.hints.images.map(({ image }) => image.repository);
  });
  return [...new Set(repositories.map((repository) => repository.slice(0, repository.indexOf('/'))))];
}

/** Reading a run takes as long as signing it: one that states nothing is not read for this alone. */
function mayNameImages({ object }: Run): boolean {
  return ['results', 'resourcesResult', 'pipelineResults', 'taskResults'].some(
    (field) => listAt(object, 'status', field).length > 0,
  );
}
