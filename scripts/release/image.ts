import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { at, type JsonObject, listAt, objectIn, parseJson, textIn } from '../../src/json.ts';
import { version } from '../../src/version.ts';
import { putApplication, putNode, startOf } from './contents.ts';
import { fetchDebian, makeRoot } from './debian.ts';
import type { Architecture, Inputs } from './inputs.ts';
import { type Descriptor, Layout } from './layout.ts';
import { run } from './run.ts';

/** What a release is made of and for. */
export interface Making {
  readonly inputs: Inputs;
  readonly architectures: readonly Architecture[];
  /** An image with Node.js by its digest; undefined: Node.js on libraries of Debian. */
  readonly base: string | undefined;
  readonly commit: string;
  /** When the commit was made, in RFC 3339: the time in everything that has one. */
  readonly time: string;
  /** A folder for what is only needed meanwhile. */
  readonly work: string;
}

/** What this program's own layer lies on. */
interface Base {
  readonly layers: readonly Descriptor[];
  readonly diffIds: readonly string[];
  readonly environment: readonly string[];
}

const mediaTypes = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
};
const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Writes the image as an OCI layout into a folder; gives the digest of its index. */
export async function writeImage(folder: string, making: Making): Promise<string> {
  const layout = await Layout.create(folder);
  const app = join(making.work, 'application');
  await putApplication(app, making.commit);
  const application = await layout.layer(app);
  const fetched = making.base === undefined ? undefined : await fetchBase(making.base, making.work);
  const { environment: own, ...start } = await startOf();
  const manifests: Descriptor[] = [];
  for (const architecture of making.architectures) {
    const base =
      fetched === undefined
        ? await debianBase(layout, architecture, making)
        : await imageBase(layout, architecture, fetched);
    const config = await layout.json(mediaTypes.config, {
      ...{ created: making.time, architecture, os: 'linux' },
      config: { ...start, Env: [...base.environment, ...own], Labels: labels(making) },
      rootfs: { type: 'layers', diff_ids: [...base.diffIds, application.diffId] },
    });
    const layers = [...base.layers, application.descriptor];
    const mediaType = mediaTypes.manifest;
    const manifest = await layout.json(mediaType, { schemaVersion: 2, mediaType, config, layers });
    manifests.push({ ...manifest, platform: { architecture, os: 'linux' } });
  }
  const mediaType = mediaTypes.index;
  const index = await layout.json(mediaType, {
    schemaVersion: 2,
    mediaType,
    manifests,
    annotations: labels(making),
  });
  await layout.finish(index, version);
  return index.digest;
}

function labels({ commit, time, base }: Making): JsonObject {
  return {
    'org.opencontainers.image.title': 'tekton-chains',
    'org.opencontainers.image.version': version,
    'org.opencontainers.image.revision': commit,
    'org.opencontainers.image.created': time,
    'org.opencontainers.image.licenses': 'Apache-2.0',
    ...(base === undefined ? {} : { 'org.opencontainers.image.base.digest': base.replace(/^.*@/, '') }),
  };
}

async function debianBase(layout: Layout, architecture: Architecture, making: Making): Promise<Base> {
  const { inputs, work } = making;
  const [root, node] = [join(work, `root-${architecture}`), join(work, `node-${architecture}`)];
  await makeRoot(root, await fetchDebian(inputs, architecture, work), inputs.suite);
  await putNode(node, inputs.platforms[architecture].node, work);
  const layers = [await layout.layer(root, 'kept'), await layout.layer(node)];
  return {
    layers: layers.map(({ descriptor }) => descriptor),
    diffIds: layers.map(({ diffId }) => diffId),
    environment: [path],
  };
}

/** Fetches an image with all its platforms as a layout; gives the folder. */
async function fetchBase(base: string, work: string): Promise<string> {
  if (!/@sha256:[0-9a-f]{64}$/.test(base))
    throw new Error(
      `--base ${base} names no digest: write IMAGE@sha256:…, so that the release can be made again`,
    );
  const folder = join(work, 'base');
  await run(process.env['ORAS'] || 'oras', ['cp', base, '--to-oci-layout', `${folder}:base`]);
  return folder;
}

async function imageBase(layout: Layout, architecture: Architecture, folder: string): Promise<Base> {
  const blob = async (digest: string) =>
    parseJson(await readFile(join(folder, 'blobs/sha256', digest.replace('sha256:', '')), 'utf8'));
  const [top] = listAt(parseJson(await readFile(join(folder, 'index.json'), 'utf8')), 'manifests');
  let manifest = await blob(textIn(at(top, 'digest')));
  const platforms = listAt(manifest, 'manifests');
  if (platforms.length > 0) {
    const found = platforms.find(
      (one) => at(one, 'platform', 'architecture') === architecture && at(one, 'platform', 'os') === 'linux',
    );
    if (found === undefined) throw new Error(`the base has no image for linux/${architecture}`);
    manifest = await blob(textIn(at(found, 'digest')));
  }
  const config = await blob(textIn(at(manifest, 'config', 'digest')));
  if (at(config, 'architecture') !== architecture)
    throw new Error(`the base is not for linux/${architecture}`);
  const layers = listAt(manifest, 'layers').map((layer) => ({
    ...objectIn(layer),
    mediaType: textIn(at(layer, 'mediaType')).replace(
      'application/vnd.docker.image.rootfs.diff.tar.gzip',
      'application/vnd.oci.image.layer.v1.tar+gzip',
    ),
    digest: textIn(at(layer, 'digest')),
    size: Number(at(layer, 'size')),
  }));
  for (const { digest } of layers) await layout.copy(folder, digest);
  return {
    layers,
    diffIds: listAt(config, 'rootfs', 'diff_ids').map(textIn),
    environment: listAt(config, 'config', 'Env')
      .map(textIn)
      .filter((one) => !one.startsWith('NODE_ENV=')),
  };
}
