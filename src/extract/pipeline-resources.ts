import type { JsonObject } from '../model/json.ts';
import { type FoundImage, imageOf } from './images.ts';
import { quote } from './quote.ts';
import { type Field, objectField, objectsField, textField } from './read.ts';
import type { Report } from './report.ts';

type Status = Field<JsonObject | undefined>;

/**
 * The images among the PipelineResources of v1beta1 that a task declares as outputs (payloads.md, 13); one without any
 * value was not built, one with half of them is a problem. Read whatever apiVersion the object shows.
 * @throws ChainsError RUN_UNREADABLE when a part has the wrong type.
 */
export function imageResourcesOf(status: Status, report: Report): readonly FoundImage[] {
  const resources = objectField(objectField(status, 'taskSpec'), 'resources');
  const values = valuesByResource(status);
  return objectsField(resources, 'outputs')
    .map((output) => ({ name: textField(output, 'name'), type: textField(output, 'type') }))
    .filter(({ type }) => type === 'image')
    .flatMap(({ name }) => imageOfResource(name, values.get(name) ?? new Map(), report));
}

interface ResourceValue {
  readonly value: string;
  readonly at: string;
}

type ResourceValues = ReadonlyMap<string, ResourceValue>;

/** `status.resourcesResult` by resource and key; the last value of a key wins. */
function valuesByResource(status: Status): ReadonlyMap<string, ResourceValues> {
  const resources = new Map<string, Map<string, ResourceValue>>();
  for (const entry of objectsField(status, 'resourcesResult')) {
    const name = textField(entry, 'resourceName');
    const values = resources.get(name) ?? new Map<string, ResourceValue>();
    values.set(textField(entry, 'key'), { value: textField(entry, 'value'), at: entry.at });
    resources.set(name, values);
  }
  return resources;
}

function imageOfResource(name: string, values: ResourceValues, report: Report): readonly FoundImage[] {
  const url = values.get('url');
  const digest = values.get('digest');
  const given = url ?? digest;
  if (given === undefined) return [];
  const names = `the output ${quote(name)} of type image`;
  const missing = ['url', 'digest'].filter((key) => (values.get(key)?.value ?? '') === '');
  if (url === undefined || digest === undefined || missing.length > 0) {
    const lacks = missing.join(' and no ');
    report(given.at, `${names} has no ${lacks} in status.resourcesResult; it needs both, a url and a digest`);
    return [];
  }
  return imageOf({ uri: url.value, digest: digest.value, at: url.at, digestAt: digest.at, names }, report);
}
