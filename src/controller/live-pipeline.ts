import type { Config } from '../config/keys.ts';
import type { Artifact, ArtifactKind } from '../model/artifact.ts';
import type { ClusterAccess } from '../model/cluster-access.ts';
import type { SigstoreListener } from '../model/sigstore.ts';
import type { BackendState } from '../backends.ts';
import { openPipeline, type Pipeline, type Milestone } from '../pipeline.ts';
import type { Secrets } from '../sign/index.ts';
import type { Health } from '../telemetry/health.ts';
import type { Log } from '../telemetry/logs.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { longestTimer } from './backoff.ts';

/** What a live pipeline needs. */
export interface LivePipelineOptions {
  readonly kinds: readonly ArtifactKind[];
  /** What stores may ask of the cluster. */
  readonly access: ClusterAccess;
  readonly health: Health;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Called when another pipeline is in force, or a back end works again. */
  readonly changed: () => void;
  readonly listener: (step: Milestone, artifact: Artifact) => void;
  /** Receives the outcome of each request to a service of Sigstore. */
  readonly onSigstore: SigstoreListener;
  /** Called with warnings about what is trusted. */
  readonly notice: (text: string) => void;
  /** Milliseconds after which back ends that didn't open are opened again. */
  readonly recheck?: number;
}

/**
 * The pipeline in force, as configuration and secrets come and change. Work that has begun keeps the pipeline that it
 * began with. A key that is damaged leaves the last good one in use; a key that is taken away is no longer used.
 */
export class LivePipeline {
  readonly #options: LivePipelineOptions;
  #config: Config | undefined;
  #secrets: Secrets | undefined;
  #current: Pipeline | undefined;
  /** The secrets that `current` works with. */
  #inUse: Secrets | undefined;
  /** No longer in force, though runs may still work with them; each with the timer that closes it. */
  readonly #retired = new Map<Pipeline, NodeJS.Timeout>();
  /** Counts requests for a pipeline: the result of an earlier one is dropped. */
  #asked = 0;
  #timer: NodeJS.Timeout | undefined;
  #checks: readonly string[] = [];
  #closed = false;

  constructor(options: LivePipelineOptions) {
    this.#options = options;
  }

  /** The pipeline in force; undefined until a configuration and the secrets are known. */
  get current(): Pipeline | undefined {
    return this.#current;
  }

  /** A new configuration is in force. */
  configure(config: Config): void {
    this.#config = config;
    this.#change();
  }

  /** The secrets have changed. */
  supply(secrets: Secrets): void {
    this.#secrets = secrets;
    this.#change();
  }

  /** Closes what is open; call it when no work goes on. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const timer of this.#retired.values()) clearTimeout(timer);
    const open = [...this.#retired.keys(), ...(this.#current === undefined ? [] : [this.#current])];
    await Promise.all(open.map((pipeline) => pipeline.close()));
  }

  #change(): void {
    void this.#bringIntoForce().then((isNew) => {
      if (isNew) this.#options.changed();
    });
  }

  /** Brings what is wanted into force, as far as it is good. Resolves to whether there is something new to work with. */
  async #bringIntoForce(): Promise<boolean> {
    const [config, secrets, before] = [this.#config, this.#secrets, this.#inUse];
    if (config === undefined || secrets === undefined || this.#closed) return false;
    clearTimeout(this.#timer);
    this.#asked += 1;
    const asked = this.#asked;
    const isNewConfig = this.#current?.config !== config;
    const wanted = this.#wanted(config, secrets);
    // A configuration takes effect at once, with the key in use; a new key is tried first, which may take a while.
    if (before !== undefined && isNewConfig) {
      this.#use(secrets === before ? wanted : this.#open(config, before), before);
    }
    const isInForce = wanted === this.#current;
    const states = await wanted.check(this.#options.kinds);
    const isKept = secrets !== before && (await this.#worksBetter(before, secrets, states));
    if (this.#closed || asked !== this.#asked) {
      if (!isInForce) await wanted.close();
      return false;
    }
    const isNew = !isInForce && !isKept;
    if (isKept) await wanted.close();
    else if (isNew) this.#use(wanted, secrets);
    this.#report(states, isKept ? '; the last good key stays in use' : '');
    this.#lookAgainLater(states);
    return isNewConfig || isNew || states.every(({ error }) => error === undefined);
  }

  /** Whether the secrets in use have a key that is damaged, not removed, in the new ones. */
  async #worksBetter(
    before: Secrets | undefined,
    secrets: Secrets,
    wanted: readonly BackendState[],
  ): Promise<boolean> {
    const broken = new Set(wanted.flatMap(({ key, error }) => (error?.code === 'KEY_INVALID' ? [key] : [])));
    if (before === undefined || broken.size === 0 || !keepsEveryFile(before, secrets)) return false;
    const inForce = (await this.#current?.check(this.#options.kinds)) ?? [];
    return inForce.some(({ key, error }) => error === undefined && broken.has(key));
  }

  /** The pipeline in force if it is the one that is wanted, else a new one. */
  #wanted(config: Config, secrets: Secrets): Pipeline {
    const current = this.#current;
    return current?.config === config && this.#inUse === secrets ? current : this.#open(config, secrets);
  }

  #open(config: Config, secrets: Secrets): Pipeline {
    const { access, listener, onSigstore } = this.#options;
    return openPipeline({ config, secrets, access, listener, onSigstore });
  }

  #use(pipeline: Pipeline, secrets: Secrets): void {
    const before = this.#current;
    this.#current = pipeline;
    this.#inUse = secrets;
    if (before === undefined) return;
    // Tries in progress still use it; its back ends are closed when the last of them must have ended.
    const close = (): void => {
      this.#retired.delete(before);
      void before.close();
    };
    const longest = Math.min(before.config['limits.try-timeout'], longestTimer);
    this.#retired.set(before, setTimeout(close, longest).unref());
  }

  #report(states: readonly BackendState[], note: string): void {
    const { health, metrics, log, notice } = this.#options;
    for (const name of this.#checks) health.remove(name);
    metrics.forgetBackends();
    for (const { key, backend, error, notices = [] } of states) {
      const trouble = error === undefined ? undefined : `${error.message}${note}`;
      health.set(`${key} ${backend}`, trouble, () => notices.join('; ') || undefined);
      for (const text of notices) notice(text);
      metrics.backend(key, backend, error === undefined);
      if (error !== undefined) log.error(`${key} ${backend}: ${error.message}${note}`, { code: error.code });
    }
    this.#checks = states.map(({ key, backend }) => `${key} ${backend}`);
  }

  /** Opens the wanted pipeline again later, whatever is in force until then. */
  #lookAgainLater(states: readonly BackendState[]): void {
    if (!states.some(({ error }) => error !== undefined && !error.terminal)) return;
    this.#timer = setTimeout(() => this.#change(), this.#options.recheck ?? 10_000).unref();
  }
}

function keepsEveryFile(before: Secrets, now: Secrets): boolean {
  return [...before.files.keys()].every((name) => now.files.has(name));
}
