import { ChainsError } from '../errors.ts';
import { isJsonObject, type JsonObject, member } from '../json.ts';

/**
 * The keys and values in a document: a ConfigMap's `data`, or the bare map itself. Nothing at all is an empty map.
 * @throws ChainsError CONFIG_INVALID when the document is something else.
 */
export function configData(document: unknown): JsonObject {
  if (document === undefined || document === null) return {};
  if (!isJsonObject(document))
    throw invalid('the configuration is not a map of keys and values, and no ConfigMap');
  const kind = member(document, 'kind');
  if (kind === undefined) return document;
  if (kind !== 'ConfigMap')
    throw invalid(`the configuration is a ${String(kind)}: use a ConfigMap, or its bare data`);
  const data = member(document, 'data') ?? {};
  if (!isJsonObject(data)) throw invalid('data of the ConfigMap is not a map of keys and values');
  return data;
}

function invalid(message: string): ChainsError {
  return new ChainsError('CONFIG_INVALID', message);
}
