import type { Config } from '../config/keys.ts';
import type { Artifact, ArtifactKind } from '../model/artifact.ts';
import type { StoreAccess } from '../model/store-access.ts';
import { type BackendState, openPipeline, type Pipeline, type Step } from '../pipeline.ts';
import type { Secrets } from '../sign/index.ts';
import type { Health } from '../telemetry/health.ts';
import type { Log } from '../telemetry/logs.ts';
import type { Metrics } from '../telemetry/metrics.ts';

/** What a live pipeline needs. */
export interface LivePipelineOptions {
  readonly kinds: readonly ArtifactKind[];
  /** What stores may ask of the cluster. */
  readonly access: StoreAccess;
  readonly health: Health;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Called when another pipeline is in force, or a back end works again. */
  readonly changed: () => void;
  readonly listener: (step: Step, artifact: Artifact) => void;
  /** Milliseconds after which back ends that didn't open are asked again. */
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
  #changing: Promise<void> = Promise.resolve();
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

  /** The secrets are these now. */
  supply(secrets: Secrets): void {
    this.#secrets = secrets;
    this.#change();
  }

  /** Closes what is open; call it when no work goes on. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#changing;
    await this.#current?.close();
  }

  #change(): void {
    this.#changing = this.#changing.then(() => this.#replace());
  }

  async #replace(): Promise<void> {
    if (this.#config === undefined || this.#secrets === undefined || this.#closed) return;
    const wanted = await this.#open(this.#config, this.#secrets);
    const before = this.#inUse;
    if (before === undefined || !brokenKey(wanted.states) || !keepsEveryFile(before, this.#secrets)) {
      await this.#adopt(wanted.pipeline, this.#secrets, wanted.states, '');
      return;
    }
    const kept = await this.#open(this.#config, before);
    await wanted.pipeline.close();
    await this.#adopt(kept.pipeline, before, wanted.states, '; the last good key stays in use');
  }

  async #open(
    config: Config,
    secrets: Secrets,
  ): Promise<{ pipeline: Pipeline; states: readonly BackendState[] }> {
    const { access, listener } = this.#options;
    const pipeline = openPipeline({ config, secrets, access, listener });
    return { pipeline, states: await pipeline.check(this.#options.kinds) };
  }

  async #adopt(
    pipeline: Pipeline,
    secrets: Secrets,
    states: readonly BackendState[],
    note: string,
  ): Promise<void> {
    const before = this.#current;
    this.#current = pipeline;
    this.#inUse = secrets;
    this.#report(states, note);
    this.#recheckLater(pipeline, states);
    this.#options.changed();
    // Runs in progress may still sign with it; its back ends are only closed once they had time to end.
    if (before !== undefined) setTimeout(() => void before.close(), 60_000).unref();
  }

  #report(states: readonly BackendState[], note: string): void {
    const { health, metrics, log } = this.#options;
    for (const name of this.#checks) health.remove(name);
    metrics.forgetBackends();
    for (const { key, backend, error } of states) {
      health.set(`${key} ${backend}`, error === undefined ? undefined : `${error.message}${note}`);
      metrics.backend(key, backend, error === undefined);
      if (error !== undefined) log.error(`${key} ${backend}: ${error.message}${note}`, { code: error.code });
    }
    this.#checks = states.map(({ key, backend }) => `${key} ${backend}`);
  }

  #recheckLater(pipeline: Pipeline, states: readonly BackendState[]): void {
    clearTimeout(this.#timer);
    if (!states.some(({ error }) => error !== undefined && !error.terminal)) return;
    this.#timer = setTimeout(() => void this.#recheck(pipeline), this.#options.recheck ?? 10_000).unref();
  }

  async #recheck(pipeline: Pipeline): Promise<void> {
    const states = await pipeline.check(this.#options.kinds);
    if (pipeline !== this.#current || this.#closed) return;
    this.#report(states, '');
    this.#recheckLater(pipeline, states);
    if (states.every(({ error }) => error === undefined)) this.#options.changed();
  }
}

function brokenKey(states: readonly BackendState[]): boolean {
  return states.some(({ error }) => error?.code === 'KEY_INVALID');
}

function keepsEveryFile(before: Secrets, now: Secrets): boolean {
  return [...before.files.keys()].every((name) => now.files.has(name));
}
