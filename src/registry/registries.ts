import type { Run } from '../model/run.ts';
import type { ClusterAccess } from '../model/cluster-access.ts';
import { RepositoryClient } from './client.ts';
import { credentialsFor } from './credentials.ts';
import { Origins, type OriginsOptions } from './origins.ts';
import type { Repository } from './repository.ts';
import { Session } from './session.ts';
import { Tokens } from './tokens.ts';

/** Opens repositories with the credentials of runs; keeps connections and tokens from one run to the next. */
export class Registries {
  readonly #origins: Origins;
  readonly #tokens = new Tokens();
  readonly #access: ClusterAccess;

  constructor(options: OriginsOptions, access: ClusterAccess) {
    this.#origins = new Origins(options);
    this.#access = access;
  }

  /** A repository, with a run's credentials; without a run, with those of this process alone. */
  async open(repository: Repository, run: Run | undefined, signal?: AbortSignal): Promise<RepositoryClient> {
    const session = new Session({
      origin: await this.#origins.of(repository.host, signal),
      tokens: this.#tokens,
      credentials: () => credentialsFor(repository, run, this.#access, signal),
      signal,
    });
    return new RepositoryClient(repository, session);
  }

  close(): Promise<void> {
    return this.#origins.close();
  }
}
