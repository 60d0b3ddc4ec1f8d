// npm run release: makes all files of a release. docs/operating.md, "Releases", says what they are.

import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { manifestsText, readManifests } from '../../src/install/manifests.ts';
import { version } from '../../src/version.ts';
import { writeChart } from './chart.ts';
import { checksumsText, digestsIn } from './checksums.ts';
import { project } from './contents.ts';
import { type Making, writeImage } from './image.ts';
import { type Architecture, architectures, readInputs } from './inputs.ts';
import { pinNewest } from './pin.ts';
import { releaseStatement, signStatement } from './provenance.ts';
import { run } from './run.ts';
import { billOfMaterials } from './sbom.ts';

const namespace = 'tekton-chains';
const say = (text: string): void => void process.stdout.write(`${text}\n`);

const { values } = parseArgs({
  options: {
    out: { type: 'string', default: join(project, 'dist/release') },
    image: { type: 'string', default: 'tekton-chains' },
    base: { type: 'string' },
    debian: { type: 'boolean', default: false },
    platform: { type: 'string', multiple: true, default: architectures.map((one) => `linux/${one}`) },
    key: { type: 'string' },
    pin: { type: 'boolean', default: false },
  },
});

/** The platforms that are asked for. */
function chosen(): readonly Architecture[] {
  const known = new Map(architectures.map((one) => [`linux/${one}`, one]));
  return values.platform.map((name) => {
    const architecture = known.get(name);
    if (architecture !== undefined) return architecture;
    throw new Error(`--platform ${name} is none of ${[...known.keys()].join(', ')}`);
  });
}

async function git(...args: readonly string[]): Promise<string> {
  return (await run('git', args, { cwd: project })).trim();
}

async function making(work: string): Promise<Making> {
  if (values.base !== undefined && values.debian) throw new Error('give either --base or --debian');
  const seconds = Number(await git('log', '-1', '--format=%ct'));
  if ((await git('status', '--porcelain', '--untracked-files=no')) !== '')
    process.stderr.write(
      'warning: there are changes that are not committed; the release names the commit before them\n',
    );
  return {
    ...{ inputs: await readInputs(), architectures: chosen(), base: values.base, work },
    commit: await git('rev-parse', 'HEAD'),
    time: new Date(seconds * 1000).toISOString().replace('.000', ''),
  };
}

/** An earlier release is replaced; a folder with anything else is refused. */
async function prepare(out: string): Promise<void> {
  const names: readonly string[] = await readdir(out).catch(() => []);
  if (names.length > 0 && !names.includes('SHA256SUMS'))
    throw new Error(`${out} holds something that is no release: choose another folder with --out`);
  await rm(out, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
}

async function makeRelease(work: string): Promise<void> {
  const out = resolve(values.out);
  const made = await making(work);
  await prepare(out);
  const digest = await writeImage(join(out, 'image'), made);
  const image = `${values.image}@${digest}`;
  say(`image/ is ${image}, for ${values.platform.join(' and ')}`);
  const manifests = await readManifests({ namespace, image });
  await writeFile(join(out, 'release.yaml'), manifestsText(manifests));
  const chart = `tekton-chains-${version}.tgz`;
  await writeChart(join(out, chart), manifests, work);
  const bill = await billOfMaterials(made, digest);
  await writeFile(join(out, 'sbom.spdx.json'), `${JSON.stringify(bill, undefined, 2)}\n`);
  await writeFile(join(out, 'SHA256SUMS'), checksumsText(await digestsIn(out)));
  say(`release.yaml, ${chart}, sbom.spdx.json and SHA256SUMS are beside it`);
  if (values.key === undefined) {
    say('provenance is left out: --key FILE, a private key in PEM, signs it');
    return;
  }
  const subjects = [...(await digestsIn(out)), { name: values.image, sha256: digest.replace('sha256:', '') }];
  const parameters = { image: values.image, base: values.base ?? 'debian', platforms: values.platform };
  const statement = await releaseStatement(subjects, made, parameters);
  await writeFile(join(out, 'provenance.intoto.json'), await signStatement(statement, values.key));
  say('provenance.intoto.json is signed');
}

const work = await mkdtemp(join(tmpdir(), 'chains-release-'));
try {
  if (values.pin) await pinNewest(work);
  else await makeRelease(work);
} catch (error) {
  process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  await rm(work, { recursive: true, force: true });
}
