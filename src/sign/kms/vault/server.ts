import type { Service, ServiceCall } from '../../../http/service.ts';
import { type Json, listAt } from '../../../json.ts';
import { failures, jsonIn, openConnections } from '../service.ts';
import type { VaultSettings } from './settings.ts';

/** A request to Vault. */
interface VaultCall {
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
export interface VaultServer extends Pick<Service, 'close'> {
  /** The answer's body. @throws ChainsError KMS_REFUSED (with the status) or KMS_UNAVAILABLE */
  ask(call: VaultCall): Promise<Json>;
}

/** Opens connections to a Vault; no request is sent yet. */
export function openServer({ address, namespace, tls }: VaultSettings): VaultServer {
  const connections = openConnections((failed) => listAt(failed, 'errors'), tls);
  return {
    async ask({ what, method, path, body, token, signal }) {
      const call: ServiceCall = {
        what,
        method,
        url: `${address}/v1/${path}`,
        headers: {
          'x-vault-request': 'true',
          ...(namespace === undefined ? {} : { 'x-vault-namespace': namespace }),
          ...(token === undefined ? {} : { 'x-vault-token': token }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal,
      };
      const first = await connections.call({ ...call, expects: [307] });
      if (first.status !== 307) return jsonIn(what, first);
      const active = activeNode(first.headers['location'], call.url);
      if (active === undefined)
        throw failures.refusal(what, 307, 'it names no other server that may see the token');
      return jsonIn(what, await connections.call({ ...call, url: active }));
    },
    close: () => connections.close(),
  };
}

/** A standby node that doesn't forward redirects to the active one. The token is never sent from https to http. */
function activeNode(location: unknown, from: string): string | undefined {
  if (typeof location !== 'string' || !URL.canParse(location, from)) return undefined;
  const target = new URL(location, from);
  return target.protocol === 'https:' || target.protocol === new URL(from).protocol ? target.href : undefined;
}
