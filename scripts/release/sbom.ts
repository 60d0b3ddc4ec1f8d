import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { at, type JsonObject, objectIn, parseJson, textIn } from '../../src/json.ts';
import { version } from '../../src/version.ts';
import { project } from './contents.ts';
import type { Making } from './image.ts';

/** A package, before it has an identifier of its own. */
interface Part {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly url: string;
  readonly checksum?: { readonly algorithm: 'SHA256' | 'SHA512'; readonly checksumValue: string };
}

const unknown = 'NOASSERTION';
const self = 'SPDXRef-Package-tekton-chains';

/** What is in the image, as SPDX 2.3 in JSON. */
export async function billOfMaterials(making: Making, imageDigest: string): Promise<JsonObject> {
  const parts = [
    ...(await npmParts()),
    ...(making.base === undefined ? platformParts(making) : [basePart(making.base)]),
  ];
  const packages = parts.map((part, index) => packageOf(part, `SPDXRef-Package-${index + 1}`));
  const root = packageOf(
    { name: 'tekton-chains', version, license: 'Apache-2.0', url: `pkg:npm/tekton-chains@${version}` },
    self,
  );
  const content = createHash('sha256')
    .update(JSON.stringify([imageDigest, packages]))
    .digest('hex');
  return {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: `tekton-chains-${version}`,
    documentNamespace: `https://spdx.org/spdxdocs/tekton-chains-${version}-${content}`,
    creationInfo: { created: making.time, creators: [`Tool: tekton-chains-release-${version}`] },
    documentDescribes: [self],
    packages: [
      { ...root, comment: `the image ${imageDigest}`, primaryPackagePurpose: 'CONTAINER' },
      ...packages,
    ],
    relationships: [
      { spdxElementId: 'SPDXRef-DOCUMENT', relationshipType: 'DESCRIBES', relatedSpdxElement: self },
      ...packages.map(({ SPDXID = null }) => ({
        spdxElementId: self,
        relationshipType: 'CONTAINS',
        relatedSpdxElement: SPDXID,
      })),
    ],
  };
}

function packageOf({ name, version, license, url, checksum }: Part, id: string): JsonObject {
  return {
    SPDXID: id,
    name,
    versionInfo: version,
    downloadLocation: unknown,
    filesAnalyzed: false,
    licenseConcluded: unknown,
    licenseDeclared: license,
    copyrightText: unknown,
    ...(checksum === undefined ? {} : { checksums: [checksum] }),
    externalRefs: [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: url }],
  };
}

/** The npm packages that the image has: those of package-lock.json that are neither for development nor optional. */
async function npmParts(): Promise<readonly Part[]> {
  const lock = parseJson(await readFile(join(project, 'package-lock.json'), 'utf8'));
  return Object.entries(objectIn(at(lock, 'packages'))).flatMap(([path, entry]) => {
    const isLeftOut = ['dev', 'optional', 'devOptional'].some((key) => at(entry, key) === true);
    if (path === '' || isLeftOut) return [];
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    const version = textIn(at(entry, 'version'));
    const [, base64 = ''] = textIn(at(entry, 'integrity')).split('sha512-');
    const checksumValue = Buffer.from(base64, 'base64').toString('hex');
    return [
      {
        ...{ name, version, license: expressionIn(textIn(at(entry, 'license'))) },
        url: `pkg:npm/${name.replace('@', '%40')}@${version}`,
        checksum: { algorithm: 'SHA512', checksumValue } as const,
      },
    ];
  });
}

/** A licence as SPDX writes it; what is no expression of names says nothing. */
function expressionIn(license: string): string {
  return /^[\w.()+-]+(?: (?:AND|OR|WITH) [\w.()+-]+)*$/.test(license) ? license : unknown;
}

function platformParts({ inputs, architectures }: Making): readonly Part[] {
  return architectures.flatMap((architecture) => {
    const { node, debian } = inputs.platforms[architecture];
    return [
      {
        ...{ name: node.name, version: node.version, license: 'MIT' },
        url: `pkg:npm/${node.name}@${node.version}`,
        checksum: { algorithm: 'SHA512', checksumValue: node.hash.hex } as const,
      },
      ...debian.map(({ name, version, hash }) => ({
        ...{ name, version, license: unknown },
        url: `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(version)}?arch=${architecture}&distro=${inputs.suite}`,
        checksum: { algorithm: 'SHA256', checksumValue: hash.hex } as const,
      })),
    ];
  });
}

function basePart(base: string): Part {
  const [name = '', digest = ''] = base.split('@');
  const url = `pkg:oci/${encodeURIComponent(name.slice(name.lastIndexOf('/') + 1))}@${encodeURIComponent(digest)}`;
  const checksum = { algorithm: 'SHA256', checksumValue: digest.replace('sha256:', '') } as const;
  return { name, version: digest, license: unknown, url, checksum };
}
