import { isDeepStrictEqual } from 'node:util';
import type { Dispatcher } from 'undici';
import { ChainsError, reasonOf } from '../model/errors.ts';
import type { Access, Connection } from './access.ts';
import { createDispatcher, type TlsOptions } from './dispatcher.ts';
import type { Identity, Target } from './target.ts';

const lookEvery = 60_000;
const lookAgainAfterFailure = 5_000;

interface State {
  readonly identity: Identity;
  readonly tls: TlsOptions;
  readonly dispatcher: Dispatcher;
}

/**
 * A connection that follows its target: once a minute at most it reads token, CA and client certificate anew. Where CA or
 * client certificate changed, new calls get a new Agent, and the old one closes when its last call is through.
 */
export class LiveConnection implements Connection {
  readonly server: string;
  readonly namespace: string;
  readonly #target: Target;
  readonly #now: () => number;
  readonly #retired = new Set<Dispatcher>();
  #state: State;
  #lookAt: number;
  #looking: Promise<void> | undefined;
  #failure: ChainsError | undefined;

  private constructor(target: Target, state: State, now: () => number) {
    this.server = target.server;
    this.namespace = target.namespace;
    this.#target = target;
    this.#now = now;
    this.#state = state;
    this.#lookAt = now() + lookEvery;
  }

  /** Reads everything for the first time. @throws ChainsError CONNECTION_INVALID */
  static async open(target: Target, now: () => number): Promise<LiveConnection> {
    const { identity, tls } = await read(target, false);
    return new LiveConnection(
      target,
      { identity, tls, dispatcher: createDispatcher(tls, target.proxy) },
      now,
    );
  }

  get dispatcher(): Dispatcher {
    return this.#state.dispatcher;
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
      this.#state.dispatcher !== used.dispatcher || this.#state.identity.authorization !== used.authorization;
    if (!differs()) await this.#look(true);
    return differs();
  }

  async close(): Promise<void> {
    await Promise.all([this.#state.dispatcher, ...this.#retired].map((dispatcher) => dispatcher.destroy()));
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
      const { dispatcher } = this.#state;
      if (isDeepStrictEqual(tls, this.#state.tls)) {
        this.#state = { identity, tls, dispatcher };
      } else {
        this.#state = { identity, tls, dispatcher: createDispatcher(tls, this.#target.proxy) };
        this.#retire(dispatcher);
      }
      this.#lookAt = this.#now() + lookEvery;
      this.#failure = undefined;
    } catch (error) {
      // What we have may still be good: files that are being replaced are whole again a moment later.
      this.#lookAt = this.#now() + lookAgainAfterFailure;
      const hint = error instanceof ChainsError && error.hint !== undefined ? { hint: error.hint } : {};
      this.#failure = new ChainsError('CLUSTER_UNAVAILABLE', reasonOf(error), { cause: error, ...hint });
      if (force || this.#expired()) throw this.#failure;
    }
  }

  #retire(dispatcher: Dispatcher): void {
    const gone = () => this.#retired.delete(dispatcher);
    this.#retired.add(dispatcher);
    // Not at once: a call that has just been given this dispatcher is about to use it.
    setImmediate(() => {
      dispatcher.close().then(gone, gone);
    });
  }
}

async function read(target: Target, force: boolean): Promise<{ identity: Identity; tls: TlsOptions }> {
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
