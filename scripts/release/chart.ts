import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { at, type JsonObject, listAt, objectIn, textIn } from '../../src/json.ts';
import { version } from '../../src/version.ts';
import type { Manifest } from '../../src/install/manifests.ts';
import { compress } from './layout.ts';
import { chartFile, chartSchema, valuesFile } from './chart-values.ts';

/** Writes a Helm chart: the manifests, with places for its values. By default it renders to what release.yaml holds. */
export async function writeChart(path: string, manifests: readonly Manifest[], work: string): Promise<void> {
  const folder = join(work, 'chart/tekton-chains');
  await mkdir(join(folder, 'templates'), { recursive: true });
  const objects = manifests.map(({ object }) => object);
  const templates = objects.map(templateOf).join('---\n');
  await writeFile(join(folder, 'Chart.yaml'), chartFile(version));
  await writeFile(join(folder, 'values.yaml'), valuesFile(objects));
  await writeFile(join(folder, 'values.schema.json'), `${JSON.stringify(chartSchema, undefined, 2)}\n`);
  await writeFile(join(folder, 'templates/manifests.yaml'), templates);
  await compress(join(work, 'chart'), path, { entry: 'tekton-chains' });
}

// In the objects, marks stand where values go. They are texts that YAML puts into quotes, so that they are found again.
const value = (path: string): string => `@@value ${path}@@`;
const block = (path: string): string => `@@block ${path}@@`;
const optional = (path: string): string => `@@optional ${path}@@`;
const namespace = '{{ .Values.namespace.name }}';

function templateOf(object: JsonObject): string {
  const text = stringify(parametrized(object), { lineWidth: 0 })
    .replaceAll(/"@@value (.*?)@@"/g, '{{ $1 }}')
    .replaceAll(/^( *)(\S+): "@@block (.*?)@@"$/gm, (_, indent: string, key: string, path: string) => {
      return `${indent}${key}: {{- toYaml ${path} | nindent ${indent.length + 2} }}`;
    })
    .replaceAll(/^( *)(\S+): "@@optional (.*?)@@"$/gm, (_, indent: string, key: string, path: string) => {
      const inner = `{{- toYaml . | nindent ${indent.length + 2} }}`;
      return `${indent}{{- with ${path} }}\n${indent}${key}: ${inner}\n${indent}{{- end }}`;
    })
    .replaceAll(/^( *)- "@@optional (.*?)@@"$/gm, (_, indent: string, path: string) => {
      return `${indent}{{- with ${path} }}{{ toYaml . | nindent ${indent.length} }}{{- end }}`;
    });
  if (object['kind'] !== 'Namespace') return text;
  return `{{- if .Values.namespace.create }}\n${text}{{- end }}\n`;
}

/** The object with marks for the values that it depends on. */
function parametrized(object: JsonObject): JsonObject {
  const metadata = objectIn(object['metadata']);
  const kind = textIn(object['kind']);
  const placed = {
    ...object,
    metadata: {
      ...metadata,
      ...(kind === 'Namespace' ? { name: namespace } : {}),
      ...(metadata['namespace'] === undefined ? {} : { namespace }),
      ...(kind === 'ServiceAccount' ? { annotations: optional('.Values.serviceAccount.annotations') } : {}),
    },
    ...(object['subjects'] === undefined
      ? {}
      : { subjects: listAt(object, 'subjects').map((one) => ({ ...objectIn(one), namespace })) }),
  };
  if (kind === 'ConfigMap') return { ...placed, data: optional('.Values.config') };
  if (kind === 'NetworkPolicy') {
    const egress = [...listAt(object, 'spec', 'egress'), optional('.Values.extraEgress')];
    return { ...placed, spec: { ...objectIn(object['spec']), egress } };
  }
  return kind === 'Deployment' ? { ...placed, spec: deploymentSpec(object) } : placed;
}

function deploymentSpec(object: JsonObject): JsonObject {
  const [container, ...others] = listAt(object, 'spec', 'template', 'spec', 'containers');
  const pod = objectIn(at(object, 'spec', 'template', 'spec'));
  const first = {
    ...objectIn(container),
    image: value('.Values.image | quote'),
    resources: block('.Values.resources'),
  };
  return {
    ...objectIn(object['spec']),
    replicas: value('.Values.replicas'),
    template: {
      ...objectIn(at(object, 'spec', 'template')),
      spec: {
        ...{ ...pod, imagePullSecrets: optional('.Values.imagePullSecrets') },
        ...{ nodeSelector: optional('.Values.nodeSelector'), tolerations: optional('.Values.tolerations') },
        containers: [first, ...others],
      },
    },
  };
}
