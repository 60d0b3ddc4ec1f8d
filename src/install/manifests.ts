import { readFile } from 'node:fs/promises';
import { type Document, isScalar, parseAllDocuments, parseDocument } from 'yaml';
import { ChainsError } from '../errors.ts';
import { at, isJsonObject, type Json, type JsonObject, listAt, textIn } from '../json.ts';
import { root } from '../version.ts';

/** What an installation differs in. */
export interface InstallOptions {
  /** The controller's image; by default the one in `deploy/base/kustomization.yaml`. */
  readonly image?: string | undefined;
  readonly namespace: string;
}

/** An object to apply, and its text with the comments of `deploy/`. */
export interface Manifest {
  readonly object: JsonObject;
  readonly text: string;
}

const base = new URL('deploy/base/', root);

/** The name that `deploy/` gives the controller's image, before a kustomization replaces it. */
const placeholder = 'tekton-chains';

/** The objects of `deploy/`, as `kubectl kustomize` renders them and in its kustomization's order. */
export async function readManifests({ image, namespace }: InstallOptions): Promise<readonly Manifest[]> {
  const kustomization = await read('kustomization.yaml');
  const names = listAt(parseDocument(kustomization).toJS(), 'resources').map(textIn);
  const chosen = image ?? imageOf(parseDocument(kustomization).toJS());
  const texts = await Promise.all(names.map(read));
  // kubectl reads YAML 1.1, in which the 0440 of a file's mode is octal.
  const documents = texts.flatMap((text) => [...parseAllDocuments(text, { version: '1.1' })]);
  return documents.map((document) => {
    settle(document, { image: chosen, namespace });
    const object: unknown = document.toJS();
    if (!isJsonObject(object))
      throw new ChainsError('UNEXPECTED', 'deploy/ holds a document that is no object');
    return { object, text: document.toString({ lineWidth: 0, flowCollectionPadding: false }) };
  });
}

/** All of them as one file for `kubectl apply -f`. */
export function manifestsText(manifests: readonly Manifest[]): string {
  return manifests.map(({ text }) => text.replace(/^---\n/, '')).join('---\n');
}

function read(name: string): Promise<string> {
  return readFile(new URL(name, base), 'utf8');
}

/** The image that a kustomization puts in the place of {@link placeholder}. */
function imageOf(kustomization: unknown): string {
  const entry = listAt(kustomization, 'images').find((one) => at(one, 'name') === placeholder);
  const [name, tag, digest] = ['newName', 'newTag', 'digest'].map((key) => textIn(at(entry, key)));
  if (digest !== '' && digest !== undefined) return `${name || placeholder}@${digest}`;
  return `${name || placeholder}:${tag || 'latest'}`;
}

/** Puts image and namespace into an object, in place, so that its comments stay. */
function settle(
  document: Document,
  { image, namespace }: Required<InstallOptions> & { image: string },
): void {
  const put = (path: readonly (string | number)[], value: string): void => {
    const node = document.getIn(path, true);
    if (isScalar(node)) node.value = value;
  };
  const kind = textIn(jsonOf(document.get('kind')));
  if (kind === 'Namespace') put(['metadata', 'name'], namespace);
  put(['metadata', 'namespace'], namespace);
  if (kind.endsWith('RoleBinding') || kind === 'ClusterRoleBinding')
    put(['subjects', 0, 'namespace'], namespace);
  if (kind === 'Deployment') put(['spec', 'template', 'spec', 'containers', 0, 'image'], image);
}

function jsonOf(value: unknown): Json | undefined {
  return typeof value === 'string' ? value : undefined;
}
