import type { Dispatcher } from 'undici';
import { at, isJsonList, type Json } from '../../../model/json.ts';
import { callJson, goodJson, type JsonAnswer, type JsonCall, openConnections } from '../http.ts';
import type { VaultSettings } from './settings.ts';

/** A question to Vault. */
export interface VaultCall {
  /** For messages. */
  readonly what: string;
  readonly method: 'GET' | 'POST';
  /** Below `/v1/`. */
  readonly path: string;
  readonly body?: unknown;
  readonly token?: string;
  readonly signal: AbortSignal;
}

/** The HTTP API of a Vault or OpenBao. */
export class VaultServer {
  readonly #settings: VaultSettings;
  readonly #connections: Dispatcher;

  constructor(settings: VaultSettings) {
    this.#settings = settings;
    this.#connections = openConnections(settings.tls);
  }

  /** The answer’s body. @throws ChainsError KMS_REFUSED (with the status) or KMS_UNAVAILABLE */
  async ask({ what, method, path, body, token, signal }: VaultCall): Promise<Json> {
    const { address, namespace } = this.#settings;
    const call: JsonCall = {
      what,
      method,
      url: `${address}/v1/${path}`,
      headers: {
        'x-vault-request': 'true',
        ...(namespace === undefined ? {} : { 'x-vault-namespace': namespace }),
        ...(token === undefined ? {} : { 'x-vault-token': token }),
      },
      body,
      signal,
    };
    const first = await callJson(this.#connections, call);
    const answer = await this.#follow(first, call);
    return goodJson(what, answer, (failed) => {
      const errors = at(failed, 'errors');
      return isJsonList(errors) ? errors : [];
    });
  }

  async close(): Promise<void> {
    await this.#connections.close();
  }

  /** A standby node that doesn’t forward names the active one. The token never goes from https to http. */
  async #follow(answer: JsonAnswer, call: JsonCall): Promise<JsonAnswer> {
    const { location } = answer.headers;
    if (answer.status !== 307 || typeof location !== 'string' || !URL.canParse(location, call.url))
      return answer;
    const target = new URL(location, call.url);
    if (target.protocol !== 'https:' && target.protocol !== new URL(call.url).protocol) return answer;
    return callJson(this.#connections, { ...call, url: target.href });
  }
}
