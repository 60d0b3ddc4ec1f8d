import assert from 'node:assert/strict';
import { createHash, createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { Ajv } from 'ajv';
import { project, startOf } from '../../scripts/release/contents.ts';
import { checksumsText, digestsIn } from '../../scripts/release/checksums.ts';
import { chartSchema, valuesFile } from '../../scripts/release/chart-values.ts';
import type { Making } from '../../scripts/release/image.ts';
import { architectures, cached, readInputs } from '../../scripts/release/inputs.ts';
import { compress } from '../../scripts/release/layout.ts';
import { releaseStatement, signStatement } from '../../scripts/release/provenance.ts';
import { billOfMaterials } from '../../scripts/release/sbom.ts';
import { readManifests } from '../../src/install/manifests.ts';
import { at, listAt, parseJson, textIn } from '../../src/json.ts';
import { preAuthEncoding } from '../../src/keys/dsse.ts';
import { parse } from 'yaml';

const image = `sha256:${'a'.repeat(64)}`;

async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'chains-release-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function making(base?: string): Promise<Making> {
  const commit = 'c'.repeat(40);
  return { inputs: await readInputs(), architectures, base, commit, time: '2026-01-01T00:00:00Z', work: '' };
}

/** What SPDX 2.3 requires of a document in JSON, of what is used here. */
const spdx = {
  type: 'object',
  required: ['spdxVersion', 'dataLicense', 'SPDXID', 'name', 'documentNamespace', 'creationInfo', 'packages'],
  properties: {
    spdxVersion: { const: 'SPDX-2.3' },
    dataLicense: { const: 'CC0-1.0' },
    SPDXID: { const: 'SPDXRef-DOCUMENT' },
    documentNamespace: { type: 'string', pattern: '^https://[^#]+$' },
    creationInfo: {
      type: 'object',
      required: ['created', 'creators'],
      properties: {
        created: { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$' },
        creators: {
          type: 'array',
          minItems: 1,
          items: { type: 'string', pattern: '^(Tool|Person|Organization): ' },
        },
      },
    },
    packages: {
      type: 'array',
      items: {
        type: 'object',
        required: ['SPDXID', 'name', 'downloadLocation'],
        properties: {
          SPDXID: { type: 'string', pattern: '^SPDXRef-[a-zA-Z0-9.-]+$' },
          name: { type: 'string', minLength: 1 },
          versionInfo: { type: 'string', minLength: 1 },
          checksums: {
            type: 'array',
            items: {
              type: 'object',
              required: ['algorithm', 'checksumValue'],
              properties: { checksumValue: { type: 'string', pattern: '^([0-9a-f]{64}|[0-9a-f]{128})$' } },
            },
          },
          externalRefs: {
            type: 'array',
            items: { type: 'object', required: ['referenceCategory', 'referenceType', 'referenceLocator'] },
          },
        },
      },
    },
    relationships: {
      type: 'array',
      items: { type: 'object', required: ['spdxElementId', 'relationshipType', 'relatedSpdxElement'] },
    },
  },
};

suite('a release', () => {
  test('is of the Node.js that package-lock.json has, with Debian packages of the same names for each platform', async () => {
    const { platforms } = await readInputs();
    const lock = parseJson(await readFile(join(project, 'package-lock.json'), 'utf8'));
    const names = platforms.amd64.debian.map(({ name }) => name);
    for (const architecture of architectures) {
      const { node, debian } = platforms[architecture];
      const locked = at(lock, 'packages', `node_modules/${node.name}`);
      assert.equal(node.version, at(locked, 'version'), 'npm run release -- --pin makes them equal');
      const integrity = `sha512-${Buffer.from(node.hash.hex, 'hex').toString('base64')}`;
      assert.equal(integrity, at(locked, 'integrity'));
      assert.deepEqual(
        debian.map(({ name }) => name),
        names,
      );
      for (const { name, hash } of debian) assert.match(hash.hex, /^[0-9a-f]{64}$/, name);
    }
  });

  test('a fetched file with another hash is not used, and one in the cache that was changed is fetched again', async (t) => {
    const folder = await folderFor(t);
    const before = process.env['XDG_CACHE_HOME'];
    process.env['XDG_CACHE_HOME'] = join(folder, 'cache');
    t.after(() => {
      if (before === undefined) delete process.env['XDG_CACHE_HOME'];
      else process.env['XDG_CACHE_HOME'] = before;
    });
    const hex = createHash('sha256').update('right').digest('hex');
    const pinned = { name: 'tool', version: '1', hash: { algorithm: 'sha256', hex } } as const;
    const fetching = (text: string) => async () => {
      await writeFile(join(folder, 'fetched'), text);
      return join(folder, 'fetched');
    };
    await assert.rejects(
      cached(pinned, fetching('wrong')),
      /tool 1 is not the file that .* pins by its sha256/,
    );
    const path = await cached(pinned, fetching('right'));
    assert.equal(await cached(pinned, () => assert.fail('it is in the cache')), path);
    await writeFile(path, 'changed');
    assert.equal(await readFile(await cached(pinned, fetching('right')), 'utf8'), 'right');
  });

  test('the same contents give the same archive, whatever the times and modes', async (t) => {
    const folder = await folderFor(t);
    const hashes = [];
    for (const [name, mode] of [
      ['one', 0o600],
      ['two', 0o664],
    ] as const) {
      await mkdir(join(folder, name, 'inner'), { recursive: true });
      await writeFile(join(folder, name, 'inner/file'), 'text', { mode });
      hashes.push(await compress(join(folder, name), join(folder, `${name}.tar.gz`)));
    }
    assert.deepEqual(hashes[0], hashes[1]);
    const bytes = await readFile(join(folder, 'one.tar.gz'));
    assert.equal(createHash('sha256').update(bytes).digest('hex'), hashes[0]?.file);
  });

  test('the image starts as the Dockerfile says', async () => {
    const { User, Cmd, WorkingDir, environment } = await startOf();
    assert.deepEqual(
      { User, Cmd, WorkingDir, environment },
      {
        ...{
          User: '65532:65532',
          Cmd: ['controller'],
          WorkingDir: '/app',
          environment: ['NODE_ENV=production', 'MALLOC_ARENA_MAX=1'],
        },
      },
    );
  });

  test('the SBOM has what SPDX requires, and names what is in the image: nothing for development, no platform twice', async () => {
    const validate = new Ajv({ allErrors: true }).compile(spdx);
    for (const base of [undefined, `registry.example.com/node@${image}`]) {
      const bill = await billOfMaterials(await making(base), image);
      assert.ok(validate(bill), JSON.stringify(validate.errors));
      const packages = listAt(bill, 'packages');
      const ids = packages.map((one) => at(one, 'SPDXID'));
      assert.equal(new Set(ids).size, ids.length);
      const related = listAt(bill, 'relationships').map((one) => at(one, 'relatedSpdxElement'));
      assert.deepEqual(new Set(related), new Set(ids));
      const names = packages.map((one) => textIn(at(one, 'name')));
      assert.ok(names.includes('undici') && !names.includes('typescript'));
      assert.equal(names.includes('libc6'), base === undefined);
      assert.equal(names.includes('registry.example.com/node'), base !== undefined);
    }
  });

  test('provenance names every file, and is signed as the controller signs', async (t) => {
    const folder = await folderFor(t);
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await writeFile(join(folder, 'key.pem'), privateKey.export({ format: 'pem', type: 'pkcs8' }));
    await writeFile(join(folder, 'release.yaml'), 'kind: List\n');
    const subjects = await digestsIn(folder);
    assert.equal(checksumsText(subjects).split('\n').length, 3);
    const statement = await releaseStatement(subjects, await making(), { image: 'app' });
    assert.deepEqual(
      listAt(statement, 'subject').map((one) => at(one, 'name')),
      ['key.pem', 'release.yaml'],
    );
    const dependencies = listAt(statement, 'predicate', 'buildDefinition', 'resolvedDependencies');
    assert.ok(dependencies.some((one) => at(one, 'digest', 'gitCommit') === 'c'.repeat(40)));
    assert.ok(dependencies.some((one) => textIn(at(one, 'name')).startsWith('libc6 ')));
    const envelope = parseJson(
      Buffer.from(await signStatement(statement, join(folder, 'key.pem'))).toString(),
    );
    const payload = Buffer.from(textIn(at(envelope, 'payload')), 'base64');
    assert.deepEqual(parseJson(payload.toString()), statement);
    const message = preAuthEncoding('application/vnd.in-toto+json', payload);
    const signature = Buffer.from(textIn(at(listAt(envelope, 'signatures')[0], 'sig')), 'base64');
    assert.ok(verify('sha256', message, createPublicKey(privateKey), signature));
  });

  test("the chart's defaults fit its schema, and wrong or unknown values don't", async () => {
    const objects = (await readManifests({ namespace: 'tekton-chains' })).map(({ object }) => object);
    const values: unknown = parse(valuesFile(objects));
    const validate = new Ajv().compile(chartSchema);
    assert.ok(validate(values), JSON.stringify(validate.errors));
    assert.ok(!validate({ image: 'a', replicas: '2', namespace: { name: 'a', create: true } }));
    assert.ok(!validate({ image: 'a', replicas: 2, namespace: { name: 'a', create: true }, unheardOf: 1 }));
  });
});
