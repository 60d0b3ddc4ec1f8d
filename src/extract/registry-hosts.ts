import { listAt } from '../json.ts';
import { repositoriesOf } from '../model/artifact.ts';
import type { Run } from '../model/run.ts';
import { extract } from './index.ts';

/** The hosts of the registries that the images of a finished run are in, each once. */
export function registryHostsOf(run: Run): readonly string[] {
  if (run.progress.state !== 'done' || !mayNameImages(run)) return [];
  const repositories = extract(run).artifacts.flatMap(repositoriesOf);
  return [...new Set(repositories.map((repository) => repository.slice(0, repository.indexOf('/'))))];
}

/** Reading a run takes as long as signing it: one that states nothing is not read for this alone. */
function mayNameImages({ object }: Run): boolean {
  return ['results', 'resourcesResult', 'pipelineResults', 'taskResults'].some(
    (field) => listAt(object, 'status', field).length > 0,
  );
}
