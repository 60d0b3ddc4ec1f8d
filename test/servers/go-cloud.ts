import { outputOf } from './process.ts';
import { tool } from './tools.ts';

/** What go-cloud's docstore makes of a document in this collection, as JSON: the fields that Chains declares, bytes in base64. */
export async function readWithGoCloud(
  url: string,
  id: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<unknown> {
  const environment = { ...process.env, ...variables };
  const found: unknown = JSON.parse(await outputOf(tool('docstore'), [url, id], { environment }));
  return found;
}
