import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseConfig } from '../../src/config/parse.ts';
import type { JsonObject } from '../../src/json.ts';
import { inTotoType } from '../../src/keys/dsse.ts';
import { openX509 } from '../../src/sign/x509.ts';
import { signPayload } from '../../src/sign/signer.ts';
import { project } from './contents.ts';
import { sha256, type Subject } from './checksums.ts';
import type { Making } from './image.ts';

/** An in-toto statement about all files of a release: SLSA provenance 1.0. */
export async function releaseStatement(
  subjects: readonly Subject[],
  making: Making,
  parameters: JsonObject,
): Promise<JsonObject> {
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: subjects.map(({ name, sha256 }) => ({ name, digest: { sha256 } })),
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType: 'urn:tekton-chains:release:v1',
        externalParameters: parameters,
        resolvedDependencies: await dependencies(making),
      },
      runDetails: { builder: { id: 'urn:tekton-chains:npm-run-release' } },
    },
  };
}

async function dependencies({ inputs, architectures, base, commit }: Making): Promise<readonly JsonObject[]> {
  const lock = sha256(await readFile(join(project, 'package-lock.json')));
  const pinned = architectures.flatMap((architecture) => {
    const { node, debian } = inputs.platforms[architecture];
    return [node, ...debian].map(({ name, version, hash }) => ({
      name: `${name} ${version} (${architecture})`,
      digest: { [hash.algorithm]: hash.hex },
    }));
  });
  const [, digest = ''] = base?.split('@sha256:') ?? [];
  return [
    { name: 'source', digest: { gitCommit: commit } },
    { name: 'package-lock.json', digest: { sha256: lock } },
    ...(base === undefined ? pinned : [{ name: base, digest: { sha256: digest } }]),
  ];
}

/** Signs a statement with the key of a file, as the controller signs with that of its Secret; gives the DSSE envelope. */
export async function signStatement(statement: JsonObject, keyFile: string): Promise<Uint8Array> {
  const files = new Map([['x509.pem', new Uint8Array(await readFile(keyFile))]]);
  const signer = await openX509(parseConfig({}).config, { folder: dirname(keyFile), files });
  const payload = { format: 'slsa/v1', bytes: Buffer.from(JSON.stringify(statement)), dsseType: inTotoType };
  return (await signPayload(signer, payload)).bytes;
}
