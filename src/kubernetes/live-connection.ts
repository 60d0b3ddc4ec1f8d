import { isDeepStrictEqual } from 'node:util';
import { ChainsError, reasonOf } from '../errors.ts';
import { type ClusterTls, createDispatchers, type Dispatchers } from './dispatcher.ts';
import type { ClusterIdentity, ClusterTarget } from './target.ts';

const lookEvery = 60_000;
const lookAgainAfterFailure = 5_000;

interface State {
  readonly identity: ClusterIdentity;
  readonly tls: ClusterTls;
  readonly dispatchers: Dispatchers;
}

/**
 * A connection that follows its target: once a minute at most it reads token, CA and client certificate again. Where CA or
 * client certificate changed, new calls get new Agents, and the old ones close when their last call has ended.
 */
export class LiveConnection implements Connection {
  readonly server: string;
  readonly namespace: string;
  readonly #target: ClusterTarget;
  readonly #now: () => number;
  readonly #retired = new Set<Dispatchers>();
  #state: State;
  #lookAt: number;
  #looking: Promise<void> | undefined;
  #failure: ChainsError | undefined;

  private constructor(target: ClusterTarget, state: State, now: () => number) {
    this.server = target.server;
    this.namespace = target.namespace;
    this.#target = target;
    this.#now = now;
    this.#state = state;
    this.#lookAt = now() + lookEvery;
  }

  /** Reads everything for the first time. @throws ChainsError CONNECTION_INVALID */
  static async open(target: ClusterTarget, now: () => number): Promise<LiveConnection> {
    const { identity, tls } = await read(target, false);
    return new LiveConnection(
      target,
      { identity, tls, dispatchers: createDispatchers(tls, target.proxy) },
      now,
    );
  }

  get dispatchers(): Dispatchers {
    return this.#state.dispatchers;
  }

  async authorization(): Promise<string | undefined> {
    if (this.#now() >= this.#lookAt) await this.#look(false);
    else if (this.#expired()) {
      if (this.#failure !== undefined) throw this.#failure;
      await this.#look(false);
    }
    return this.#state.identity.authorization;
  }

  async renew(used: Access): Promise<boolean> {
    const differs = () =>
      this.#state.dispatchers !== used.dispatchers ||
      this.#state.identity.authorization !== used.authorization;
    if (!differs()) await this.#look(true);
    return differs();
  }

  async close(): Promise<void> {
    await Promise.all([this.#state.dispatchers, ...this.#retired].map((one) => one.destroy()));
  }

  #expired(): boolean {
    return (this.#state.identity.expires ?? Number.POSITIVE_INFINITY) <= this.#now();
  }

  #look(force: boolean): Promise<void> {
    this.#looking ??= this.#lookNow(force).finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #lookNow(force: boolean): Promise<void> {
    try {
      const { identity, tls } = await read(this.#target, force);
      const { dispatchers } = this.#state;
      if (isDeepStrictEqual(tls, this.#state.tls)) {
        this.#state = { identity, tls, dispatchers };
      } else {
        this.#state = { identity, tls, dispatchers: createDispatchers(tls, this.#target.proxy) };
        this.#retire(dispatchers);
      }
      this.#lookAt = this.#now() + lookEvery;
      this.#failure = undefined;
    } catch (error) {
      // The present credential may still be valid: files that are being replaced are complete a moment later.
      this.#lookAt = this.#now() + lookAgainAfterFailure;
      const hint = error instanceof ChainsError && error.hint !== undefined ? { hint: error.hint } : {};
      this.#failure = new ChainsError('CLUSTER_UNAVAILABLE', reasonOf(error), { cause: error, ...hint });
      if (force || this.#expired()) throw this.#failure;
    }
  }

  #retire(dispatchers: Dispatchers): void {
    const gone = () => this.#retired.delete(dispatchers);
    this.#retired.add(dispatchers);
    // Not at once: a call may have received these Agents and be about to use one.
    setImmediate(() => {
      dispatchers.close().then(gone, gone);
    });
  }
}

async function read(
  target: ClusterTarget,
  force: boolean,
): Promise<{ identity: ClusterIdentity; tls: ClusterTls }> {
  const [ca, identity] = await Promise.all([target.ca(), target.identity(force)]);
  const tls = {
    ca,
    cert: identity.certificate?.cert,
    key: identity.certificate?.key,
    servername: target.serverName,
    rejectUnauthorized: !target.insecure,
  };
  return { identity, tls };
}

/** What a call was made with, so that a refused credential is renewed once, not by every call that failed. */
export interface Access {
  readonly authorization: string | undefined;
  readonly dispatchers: Dispatchers;
}

/** How to reach one API server, and as whom. Credentials and CA that rotate are followed while it is open. */
export interface Connection {
  /** Base URL without a trailing slash; may have a path. */
  readonly server: string;
  /** The shared Agents; others after the CA or client certificate changed, so take them again for each call. */
  readonly dispatchers: Dispatchers;
  /** The namespace of the kubeconfig's context or of the pod; `default` when none is named. */
  readonly namespace: string;
  /**
   * Value of the header `Authorization`, undefined for none; follows token files and exec plugins.
   * @throws ChainsError CLUSTER_UNAVAILABLE when the credential can't be had just now.
   */
  authorization(): Promise<string | undefined>;
  /**
   * Reads credential and CA again after the server refused `used` (401), or its certificate failed; true when there is something else to try now.
   * @throws ChainsError CLUSTER_UNAVAILABLE when it can't be read.
   */
  renew(used: Access): Promise<boolean>;
  /** Closes all connections; calls in flight fail. */
  close(): Promise<void>;
}
