import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { copyFile, mkdir, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { JsonObject } from '../../src/json.ts';

/** A blob of a layout, as manifests name it. */
export type Descriptor = JsonObject & {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
};

/** A layer, and the digest of what it unpacks to. */
export interface Layer {
  readonly descriptor: Descriptor;
  readonly diffId: string;
}

/** Whether all may read and only the owner may write, or files keep what they have. */
type Modes = 'usual' | 'kept';

/** The time of everything in archives, in seconds. */
const epoch = 0;

/** Archives a folder so that the same contents give the same bytes: by name, without times, owners or umask. */
function archive(folder: string, modes: Modes, entry: string): ReturnType<typeof spawn> {
  const fixed = [
    '--sort=name',
    `--mtime=@${epoch}`,
    '--owner=0',
    '--group=0',
    '--numeric-owner',
    '--format=gnu',
  ];
  return spawn(
    'tar',
    ['--create', ...fixed, ...(modes === 'usual' ? ['--mode=go-w,a+rX'] : []), '--directory', folder, entry],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, LC_ALL: 'C' },
    },
  );
}

/** Writes a folder, or what is in it under one name, as a compressed archive; gives its hashes, without compression and with. */
export async function compress(
  folder: string,
  path: string,
  { modes = 'usual', entry = '.' }: { readonly modes?: Modes; readonly entry?: string } = {},
): Promise<{ readonly tar: string; readonly file: string }> {
  const tar = archive(folder, modes, entry);
  const ended = once(tar, 'close');
  const [plain, compressed] = [createHash('sha256'), createHash('sha256')];
  if (tar.stdout === null) throw new Error('tar has no output');
  await pipeline(
    tar.stdout,
    hashing(plain),
    createGzip({ level: 6 }),
    hashing(compressed),
    createWriteStream(path),
  );
  await ended;
  if (tar.exitCode !== 0) throw new Error(`tar failed on ${folder}`);
  return { tar: plain.digest('hex'), file: compressed.digest('hex') };
}

function hashing(hash: ReturnType<typeof createHash>): Transform {
  return new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
}

/** An OCI image layout that is being written. */
export class Layout {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async create(folder: string): Promise<Layout> {
    await mkdir(join(folder, 'blobs/sha256'), { recursive: true });
    await writeFile(join(folder, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
    return new Layout(folder);
  }

  /** Adds a folder as a layer. */
  async layer(folder: string, modes: Modes = 'usual'): Promise<Layer> {
    const pending = join(this.#folder, 'layer');
    const { tar, file } = await compress(folder, pending, { modes });
    await rename(pending, this.#blob(file));
    const { size } = await stat(this.#blob(file));
    const mediaType = 'application/vnd.oci.image.layer.v1.tar+gzip';
    return { diffId: `sha256:${tar}`, descriptor: { mediaType, digest: `sha256:${file}`, size } };
  }

  /** Copies a blob of another layout. */
  async copy(folder: string, digest: string): Promise<void> {
    const hex = digest.replace('sha256:', '');
    await copyFile(join(folder, 'blobs/sha256', hex), this.#blob(hex));
  }

  /** Adds a JSON document. */
  async json(mediaType: string, document: JsonObject): Promise<Descriptor> {
    const bytes = Buffer.from(JSON.stringify(document));
    const hex = createHash('sha256').update(bytes).digest('hex');
    await writeFile(this.#blob(hex), bytes);
    return { mediaType, digest: `sha256:${hex}`, size: bytes.length };
  }

  /** Names what the layout holds, under a tag. */
  async finish(root: Descriptor, tag: string): Promise<void> {
    const annotations = { 'org.opencontainers.image.ref.name': tag };
    const mediaType = 'application/vnd.oci.image.index.v1+json';
    const index = { schemaVersion: 2, mediaType, manifests: [{ ...root, annotations }] };
    await writeFile(join(this.#folder, 'index.json'), JSON.stringify(index));
  }

  #blob(hex: string): string {
    return join(this.#folder, 'blobs/sha256', hex);
  }
}
