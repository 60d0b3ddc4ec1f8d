import { at, isJsonList, member, textIn } from '../json.ts';
import type { StoredEntry } from '../model/stored.ts';
import { openService } from '../http/service.ts';
import { reasonIn } from './archivista.ts';
import { failures, patience, unreadable } from './failures.ts';
import type { OpenReader } from './store.ts';
import { required } from './settings.ts';
import { withoutTrailing } from '../text.ts';

const query = `query ($digests: [String!]) {
  dsses(where: { hasStatementWith: { hasSubjectsWith: { hasSubjectDigestsWith: { valueIn: $digests } } } }) {
    edges { node { gitoidSha256 } }
  }
}`;

/**
 * Reads the store `archivista`: envelopes whose statements name something that the run made, by GraphQL (`/query`), and
 * then each by its gitoid (`/download`). Nothing else of a run is known there to search by.
 */
export const openArchivistaReader: OpenReader = async (config) => {
  const url = withoutTrailing(required(config, 'archivista', 'storage.archivista.url'), '/');
  const service = openService({ failures, reasonIn, timeout: patience });

  async function search(digests: readonly string[], signal?: AbortSignal): Promise<readonly string[]> {
    const what = `search ${url} for envelopes`;
    const { body } = await service.call({
      what,
      method: 'POST',
      url: `${url}/query`,
      body: JSON.stringify({ query, variables: { digests } }),
      signal,
    });
    const edges = at(body, 'data', 'dsses', 'edges');
    // GraphQL returns its errors with the status 200.
    if (!isJsonList(edges)) throw unreadable(what, 'no list of them');
    const ids = edges.map((edge) => textIn(at(edge, 'node', 'gitoidSha256')));
    if (ids.includes('')) throw unreadable(what, 'an envelope without its gitoid');
    return ids;
  }

  async function download(id: string, signal?: AbortSignal): Promise<readonly StoredEntry[]> {
    const place = `${url}/download/${id}`;
    const { body } = await service.call({ what: `read ${place}`, method: 'GET', url: place, signal });
    const payload = member(body, 'payload');
    if (typeof payload !== 'string') return [];
    return [
      {
        place,
        payload: Buffer.from(payload, 'base64'),
        signature: Buffer.from(JSON.stringify(body), 'utf8'),
      },
    ];
  }

  return {
    async read({ kind, images, others }, signal) {
      const digests = [...images, ...others].map((name) => name.slice(name.lastIndexOf(':') + 1));
      if (kind === 'oci' || digests.length === 0) return [];
      const place = `${url}, among the envelopes of ${[...images, ...others].join(', ')}`;
      const found = await search([...new Set(digests)], signal);
      const entries = await Promise.all([...new Set(found)].map((id) => download(id, signal)));
      return [{ place, entries: entries.flat() }];
    },
    close: () => service.close(),
  };
};
