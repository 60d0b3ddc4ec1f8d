import { ChainsError } from '../errors.ts';
import { at, type Json, type JsonObject, member } from '../json.ts';
import type { Config } from '../config/keys.ts';
import { configData, configMapName, parseConfig } from '../config/parse.ts';

/** Receives the configuration, and what is wrong with it. */
export interface ConfigListener {
  /** The configuration that is in force from now on. */
  config(config: Config): void;
  /** Why the ConfigMap can't be read or is refused; undefined when nothing is wrong, also for the first time. */
  trouble(error: ChainsError | undefined): void;
  /** Something that changes nothing, but that the author of the ConfigMap should know. One line. */
  warning(text: string): void;
}

/** Writes an Event about the ConfigMap as it was seen. */
type Announce = (
  reason: 'InvalidConfiguration' | 'UnknownKey' | 'WeakConfiguration',
  message: string,
  object: JsonObject,
) => void;

/** Decides which configuration is in force as the ConfigMap is created, changed, broken and deleted. */
export class ConfigState {
  readonly #to: ConfigListener;
  readonly #announce: Announce;
  /** The data last looked at, as text, good or not. */
  #looked: string | undefined;
  /** The data in force, as text. */
  #inForce: string | undefined;
  #refused: ChainsError | undefined;
  #unreachable: ChainsError | undefined;
  #reported: ChainsError | undefined | 'nothing' = 'nothing';

  constructor(to: ConfigListener, announce: Announce) {
    this.#to = to;
    this.#announce = announce;
  }

  /** The ConfigMap as the API server has it. */
  seen(object: JsonObject): void {
    if (at(object, 'metadata', 'name') === configMapName) this.#look(object);
  }

  /** The ConfigMap is deleted: the defaults are in force. */
  gone(): void {
    this.#look({ kind: 'ConfigMap' });
  }

  /** All that exists has been seen: without a ConfigMap so far, there is none. */
  synced(): void {
    if (this.#looked === undefined) this.gone();
  }

  /** Why the API server can't be read; undefined when it can be read again. */
  unreachable(error: ChainsError | undefined): void {
    this.#unreachable = error;
    this.#report();
  }

  #look(object: JsonObject): void {
    const data = member(object, 'data') ?? {};
    const text = JSON.stringify(data);
    if (text === this.#looked) return;
    this.#looked = text;
    const result = attempt(data);
    this.#refused = 'refused' in result ? result.refused : undefined;
    if ('refused' in result) this.#announce('InvalidConfiguration', result.refused.message, object);
    else this.#take(result, text, object);
    this.#report();
  }

  #take(result: ReturnType<typeof parseConfig>, text: string, object: JsonObject): void {
    if (text !== this.#inForce) this.#to.config(result.config);
    this.#inForce = text;
    for (const warning of result.warnings) this.#to.warning(warning);
    const unknown = result.warnings.filter((warning) => !result.doubts.includes(warning));
    if (unknown.length > 0) this.#announce('UnknownKey', unknown.join('; '), object);
    if (result.doubts.length > 0) this.#announce('WeakConfiguration', result.doubts.join('; '), object);
  }

  #report(): void {
    const trouble = this.#refused ?? this.#unreachable;
    // An API server that answers again is not yet a configuration.
    const early = trouble === undefined && this.#inForce === undefined;
    if (early || trouble === this.#reported) return;
    this.#reported = trouble;
    this.#to.trouble(trouble);
  }
}

function attempt(data: Json): ReturnType<typeof parseConfig> | { readonly refused: ChainsError } {
  try {
    return parseConfig(configData({ kind: 'ConfigMap', data }));
  } catch (error) {
    if (error instanceof ChainsError) return { refused: error };
    throw error;
  }
}
