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
    const [config, secrets, before] = [this.#config, this.#secrets, this.#inUse];
    if (config === undefined || secrets === undefined || this.#closed) return;
    const wanted = this.#open(config, secrets);
    // A configuration counts at once, with the key that is in use; another key is tried first, which may take a while.
    if (before !== undefined && this.#current?.config !== config) {
      this.#use(secrets === before ? wanted : this.#open(config, before), before);
    }
    const states = await wanted.check(this.#options.kinds);
    const isKept =
      before !== undefined && secrets !== before && brokenKey(states) && keepsEveryFile(before, secrets);
    if (isKept) await wanted.close();
    else if (wanted !== this.#current) this.#use(wanted, secrets);
    this.#report(states, isKept ? '; the last good key stays in use' : '');
    this.#recheckLater(states);
    this.#options.changed();
  }

  #open(config: Config, secrets: Secrets): Pipeline {
    const { access, listener } = this.#options;
    return openPipeline({ config, secrets, access, listener });
  }

  #use(pipeline: Pipeline, secrets: Secrets): void {
    const before = this.#current;
    this.#current = pipeline;
    this.#inUse = secrets;
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

  #recheckLater(states: readonly BackendState[]): void {
    clearTimeout(this.#timer);
    const pipeline = this.#current;
    if (pipeline === undefined || !states.some(({ error }) => error !== undefined && !error.terminal)) return;
    this.#timer = setTimeout(() => void this.#recheck(pipeline), this.#options.recheck ?? 10_000).unref();
  }

  async #recheck(pipeline: Pipeline): Promise<void> {
    const states = await pipeline.check(this.#options.kinds);
    if (pipeline !== this.#current || this.#closed) return;
    this.#report(states, '');
    this.#recheckLater(states);
    if (states.every(({ error }) => error === undefined)) this.#options.changed();
  }
}

function brokenKey(states: readonly BackendState[]): boolean {
  return states.some(({ error }) => error?.code === 'KEY_INVALID');
}

function keepsEveryFile(before: Secrets, now: Secrets): boolean {
  return [...before.files.keys()].every((name) => now.files.has(name));
}
