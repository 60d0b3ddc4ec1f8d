import { chmod, cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Architecture, cached, type Inputs, type Pinned } from './inputs.ts';
import { run } from './run.ts';

/** What the image needs of Debian: Node.js runs on these libraries; gcc-14-base has the licence of two of them. */
const names = ['ca-certificates', 'gcc-14-base', 'libc6', 'libgcc-s1', 'libstdc++6'];

/** apt-get with folders of its own: what is installed, and what apt knows of the system's own suite, stay as they are. */
async function openApt(
  { suite }: Pick<Inputs, 'suite'>,
  architecture: Architecture,
  folder: string,
): Promise<readonly string[]> {
  const own = join(folder, `apt-${architecture}`);
  await mkdir(join(own, 'lists/partial'), { recursive: true });
  await mkdir(join(own, 'cache/archives/partial'), { recursive: true });
  await writeFile(join(own, 'status'), '');
  const source = `deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${await mirror()} ${suite} main\n`;
  await writeFile(join(own, 'sources.list'), source);
  const settings = [
    ...[`Dir::State=${own}`, `Dir::State::lists=${own}/lists`, `Dir::State::status=${own}/status`],
    ...[`Dir::Cache=${own}/cache`, `Dir::Etc::sourcelist=${own}/sources.list`, 'Dir::Etc::sourceparts=-'],
    ...['APT::Sandbox::User=root', `APT::Architecture=${architecture}`, `APT::Architectures=${architecture}`],
  ];
  const options = ['-qq', ...settings.flatMap((setting) => ['-o', setting])];
  await run('apt-get', [...options, 'update']);
  return options;
}

/** The mirror that the system uses. */
async function mirror(): Promise<string> {
  const folder = '/etc/apt/sources.list.d';
  const files = [
    '/etc/apt/sources.list',
    ...(await readdir(folder).catch(() => [])).map((name) => join(folder, name)),
  ];
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => '')));
  const found = /https?:\/\/\S+\/debian\/?(?=\s|$)/m.exec(texts.join('\n').replace(/^#.*$/gm, ''))?.[0];
  if (found === undefined)
    throw new Error(
      'no source of Debian packages is set up in /etc/apt: make the release on Debian, or give --base',
    );
  return found;
}

/** The pinned packages of a platform, as files. */
export async function fetchDebian(
  inputs: Inputs,
  architecture: Architecture,
  folder: string,
): Promise<readonly string[]> {
  let apt: Promise<readonly string[]> | undefined;
  const paths: string[] = [];
  for (const pinned of inputs.platforms[architecture].debian) {
    const fetch = async () => download(await (apt ??= openApt(inputs, architecture, folder)), pinned, folder);
    paths.push(await cached(pinned, fetch));
  }
  return paths;
}

async function download(
  apt: readonly string[],
  { name, version }: Pick<Pinned, 'name' | 'version'>,
  folder: string,
): Promise<string> {
  const own = join(folder, `${name}-${Math.random()}`);
  await mkdir(own);
  await run('apt-get', [...apt, 'download', `${name}=${version}`], { cwd: own }).catch((cause: unknown) => {
    const what = `Debian's mirror no longer has ${name} ${version}: npm run release -- --pin takes the newest, for a commit of its own`;
    throw new Error(what, { cause });
  });
  const [file = ''] = await readdir(own);
  return join(own, file);
}

/** The newest versions of all packages for a platform. */
export async function newestDebian(
  inputs: Inputs,
  architecture: Architecture,
  folder: string,
): Promise<readonly { readonly name: string; readonly version: string; readonly path: string }[]> {
  const apt = await openApt(inputs, architecture, folder);
  const found = [];
  for (const name of names) {
    const own = join(folder, `new-${architecture}-${name}`);
    await mkdir(own);
    await run('apt-get', [...apt, 'download', name], { cwd: own });
    const [file = ''] = await readdir(own);
    const path = join(own, file);
    found.push({ name, path, version: (await run('dpkg-deb', ['-f', path, 'Version'])).trim() });
  }
  return found;
}

/** Makes the root of an image out of packages: their files, and what their scripts would have made. */
export async function makeRoot(root: string, packages: readonly string[], suite: string): Promise<void> {
  await mkdir(root, { recursive: true });
  await chmod(root, 0o755);
  const folders = [
    ['tmp', 0o1777],
    ['etc', 0o755],
    ['usr', 0o755],
    ['root', 0o700],
  ] as const;
  for (const [name, mode] of [...folders, ['var', 0o755], ['var/lib', 0o755]] as const)
    await folder(root, name, mode);
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) {
    await folder(root, `usr/${name}`, 0o755);
    await symlink(`usr/${name}`, join(root, name));
  }
  // Where scanners of images look for the packages of one that has no dpkg.
  for (const name of ['dpkg', 'dpkg/status.d']) await folder(root, `var/lib/${name}`, 0o755);
  for (const path of packages) {
    await run('dpkg-deb', ['-x', path, root]);
    const [name, control] = [
      await run('dpkg-deb', ['-f', path, 'Package']),
      await run('dpkg-deb', ['-f', path]),
    ];
    await file(root, `var/lib/dpkg/status.d/${name.trim()}`, control);
  }
  const accounts = [
    ['root', 0],
    ['nonroot', 65_532],
  ] as const;
  const passwd = accounts.map(
    ([name, id]) => `${name}:x:${id}:${id}::/${id === 0 ? 'root' : 'app'}:/sbin/nologin\n`,
  );
  await file(root, 'etc/passwd', passwd.join(''));
  await file(root, 'etc/group', accounts.map(([name, id]) => `${name}:x:${id}:\n`).join(''));
  await file(root, 'etc/nsswitch.conf', 'hosts: files dns\n');
  await file(
    root,
    'etc/os-release',
    `ID=debian\nVERSION_CODENAME=${suite}\nPRETTY_NAME="Packages of Debian ${suite}"\n`,
  );
  await writeCertificates(root);
}

/** The file with all root certificates, which the package's own script makes. */
async function writeCertificates(root: string): Promise<void> {
  const source = join(root, 'usr/share/ca-certificates/mozilla');
  const names = (await readdir(source)).filter((name) => name.endsWith('.crt')).toSorted();
  const texts = await Promise.all(names.map((name) => readFile(join(source, name), 'utf8')));
  for (const name of ['etc/ssl', 'etc/ssl/certs']) await folder(root, name, 0o755);
  await file(root, 'etc/ssl/certs/ca-certificates.crt', texts.map((text) => `${text.trimEnd()}\n`).join(''));
}

// Modes are set apart from creating, which obeys the umask.
async function folder(root: string, name: string, mode: number): Promise<void> {
  await mkdir(join(root, name), { recursive: true });
  await chmod(join(root, name), mode);
}

async function file(root: string, name: string, text: string): Promise<void> {
  await writeFile(join(root, name), text);
  await chmod(join(root, name), 0o644);
}

/** Copies a program into a root as an executable. */
export async function putProgram(root: string, source: string, name: string): Promise<void> {
  for (const parent of ['usr', 'usr/local', 'usr/local/bin']) await folder(root, parent, 0o755);
  await cp(source, join(root, name));
  await chmod(join(root, name), 0o755);
}
