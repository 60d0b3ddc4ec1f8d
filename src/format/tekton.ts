import { ChainsError } from '../errors.ts';
import { isJsonObject, member } from '../json.ts';
import { runName } from '../model/run.ts';
import type { Format } from './format.ts';
import { jsonBytes } from './statement.ts';

/**
 * The format `tekton`: the run's status as it is in the object, as compact JSON in UTF-8; for an image, the status of
 * the run that built it (behaviour.md, "The command").
 *
 * Nothing is sorted. An API server writes the members of a custom resource in the same sorted order in every answer
 * (get, list, watch), so the same run always gives the same bytes; a file in another order keeps its own. Numbers are
 * written as JavaScript reads them, and lone surrogates are escaped.
 * @throws ChainsError RUN_UNREADABLE when there is no status, or it nests too deeply to be written.
 */
export const tekton: Format = ({ run }) => {
  const status = member(run.object, 'status') ?? undefined;
  if (!isJsonObject(status)) {
    const wrong = status === undefined ? 'is missing' : 'is not an object';
    throw new ChainsError(
      'RUN_UNREADABLE',
      `status ${wrong} in ${run.kind} ${runName(run)}: the format \`tekton\` signs the run's status`,
    );
  }
  return { bytes: jsonBytes(() => status, 'status'), format: 'tekton' };
};
