import { stringify } from 'yaml';
import { at, type JsonObject, listAt, objectIn } from '../../src/json.ts';

/** Chart.yaml. */
export function chartFile(version: string): string {
  return stringify({
    apiVersion: 'v2',
    name: 'tekton-chains',
    description:
      'Signs every finished Tekton TaskRun and PipelineRun and stores provenance where you want it',
    type: 'application',
    version,
    appVersion: version,
  });
}

/** values.yaml: each value with what it is for; the defaults are what the manifests hold. */
export function valuesFile(objects: readonly JsonObject[]): string {
  const ofKind = (kind: string) => objects.find((object) => object['kind'] === kind);
  const deployment = ofKind('Deployment');
  const [container] = listAt(deployment, 'spec', 'template', 'spec', 'containers');
  const values: readonly (readonly [purpose: string, values: JsonObject])[] = [
    ["The controller's image, by its digest.", { image: at(container, 'image') ?? null }],
    [
      'Secrets of the namespace with credentials for its registry: a list of { name }.',
      { imagePullSecrets: [] },
    ],
    [
      'All objects go to this namespace, wherever Helm keeps its records. create: false where it is there already.',
      { namespace: { name: 'tekton-chains', create: true } },
    ],
    [
      'All replicas work, each on its share of the runs.',
      { replicas: at(deployment, 'spec', 'replicas') ?? null },
    ],
    [
      'The ConfigMap chains-config; all values are strings.',
      { config: objectIn(at(ofKind('ConfigMap'), 'data')) },
    ],
    ["For clouds' workload identity.", { serviceAccount: { annotations: {} } }],
    [
      'Further rules of the NetworkPolicy, for stores and keys that are not reached by HTTPS on port 443.',
      { extraEgress: [] },
    ],
    ['Of the container.', { resources: objectIn(at(container, 'resources')) }],
    ['Of the Pods.', { nodeSelector: {}, tolerations: [] }],
  ];
  return values.map(([purpose, value]) => `# ${purpose}\n${stringify(value)}`).join('\n');
}

const objects = { type: 'array', items: { type: 'object' } };
const strings = { type: 'object', additionalProperties: { type: 'string' } };

/** What values may be. */
export const chartSchema: JsonObject = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  type: 'object',
  additionalProperties: false,
  required: ['image', 'namespace', 'replicas'],
  properties: {
    // What Helm itself adds to values.
    global: { type: 'object' },
    image: { type: 'string', minLength: 1 },
    imagePullSecrets: objects,
    namespace: {
      type: 'object',
      additionalProperties: false,
      required: ['name', 'create'],
      properties: {
        name: { type: 'string', pattern: '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$' },
        create: { type: 'boolean' },
      },
    },
    replicas: { type: 'integer', minimum: 0 },
    config: strings,
    serviceAccount: { type: 'object', additionalProperties: false, properties: { annotations: strings } },
    extraEgress: objects,
    resources: { type: 'object' },
    nodeSelector: strings,
    tolerations: objects,
  },
};
