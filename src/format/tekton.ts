import { ChainsError } from '../errors.ts';
import { isJsonObject, member } from '../json.ts';
import { runName } from '../model/run.ts';
import type { Format } from './format.ts';

/**
 * The format `tekton`: the run's status as it is in the object, as compact JSON in UTF-8; for an image, the status of
 * the run that built it (behaviour.md, "The command").
 *
 * Nothing is sorted. An API server writes the members of a custom resource in the same sorted order in every answer
 * (get, list, watch), so a run gives the same bytes whichever way it came; a file in another order is kept in its own.
 * A number is written as JavaScript reads it, lone surrogates are escaped.
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
  return { bytes: Buffer.from(written(status), 'utf8'), format: 'tekton' };
};

function written(status: unknown): string {
  try {
    return JSON.stringify(status);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new ChainsError(
      'RUN_UNREADABLE',
      'status nests too deeply, or is too long, to be written as JSON',
      {
        cause,
      },
    );
  }
}
