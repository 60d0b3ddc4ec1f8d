import { type Contents, digestOf } from './contents.ts';

/**
 * Puts an image into a repository, under the tag `latest`: one layer, an archive without files (OCI image specification
 * 1.1). It is the same each time. Returns its digest.
 */
export function putExampleImage(contents: Contents): string {
  const layer = Buffer.alloc(1024);
  const config = Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      config: {},
      rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
    }),
  );
  const manifest = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: put(contents, config, 'application/vnd.oci.image.config.v1+json'),
    layers: [put(contents, layer, 'application/vnd.oci.image.layer.v1.tar')],
  };
  return contents.put('latest', Buffer.from(JSON.stringify(manifest)), manifest.mediaType).digest;
}

function put(contents: Contents, bytes: Buffer, mediaType: string) {
  const digest = digestOf(bytes);
  contents.blobs.set(digest, bytes);
  return { mediaType, digest, size: bytes.length };
}
