import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../src/config/parse.ts';
import { ChainsError } from '../../src/errors.ts';

const { config: defaultConfig } = parseConfig({});

function problems(data: Record<string, unknown>): string {
  try {
    parseConfig(data);
  } catch (error) {
    assert(error instanceof ChainsError);
    assert.equal(error.code, 'CONFIG_INVALID');
    assert.doesNotMatch(error.message, /\n/);
    return error.message;
  }
  return assert.fail('this configuration is taken');
}

const value = <K extends keyof typeof defaultConfig>(key: K, text: string) =>
  parseConfig({ [key]: text }).config[key];

test('keys that are left out have the defaults of behaviour.md', () => {
  assert.equal(defaultConfig['artifacts.taskrun.format'], 'tekton');
  assert.equal(defaultConfig['artifacts.pipelinerun.format'], 'in-toto');
  assert.deepEqual(defaultConfig['artifacts.oci.storage'], ['oci']);
  assert.equal(defaultConfig['storage.gcs.bucket'], undefined);
  assert.equal(defaultConfig['transparency.enabled'], 'false');
  assert.equal(defaultConfig['signing.retry-deadline'], 3_600_000);
});

test('a configuration can not be changed', () => {
  assert.throws(() => Object.assign(defaultConfig, { 'builder.id': 'other' }), TypeError);
  assert.throws(() => Object.assign(defaultConfig['artifacts.oci.storage'], ['gcs']), TypeError);
});

test('a list is trimmed and holds nothing twice', () => {
  assert.deepEqual(value('artifacts.taskrun.storage', ' tekton, oci ,tekton,gcs'), ['tekton', 'oci', 'gcs']);
  assert.deepEqual(value('filter.managed-by', 'x, acme.example/controller'), [
    'x',
    'acme.example/controller',
  ]);
});

test('an empty storage is not a store, but an empty entry is an error', () => {
  assert.deepEqual(value('artifacts.taskrun.storage', ''), []);
  for (const text of ['oci,', ',', ' ']) {
    assert.match(problems({ 'artifacts.oci.storage': text }), /artifacts\.oci\.storage .* an entry is empty/);
  }
});

test('an empty format, signer or build type is an error', () => {
  for (const key of ['artifacts.taskrun.format', 'artifacts.oci.signer', 'builddefinition.buildtype']) {
    assert(problems({ [key]: '' }).includes(`${key} is ""`));
  }
});

test('an empty value of a key without default is the same as none, and an empty builder id is kept', () => {
  assert.equal(value('signers.kms.kmsref', ''), undefined);
  assert.equal(value('builder.id', ''), '');
});

test('the storage kafka is pubsub with the provider kafka', () => {
  const { config } = parseConfig({ 'artifacts.taskrun.storage': 'kafka,pubsub' });
  assert.deepEqual(config['artifacts.taskrun.storage'], ['pubsub']);
  assert.equal(config['storage.pubsub.provider'], 'kafka');
  assert.match(
    problems({ 'artifacts.oci.storage': 'kafka', 'storage.pubsub.provider': 'gcp' }),
    /artifacts\.oci\.storage names kafka, but storage\.pubsub\.provider is "gcp"/,
  );
});

test('the word kafka is not taken for PipelineRuns, for which no Chains ever took it', () => {
  assert.match(
    problems({ 'artifacts.pipelinerun.storage': 'kafka' }),
    /artifacts\.pipelinerun\.storage is "kafka", where "kafka" is not allowed.*pubsub/,
  );
});

test('booleans are those of Go, and nothing else', () => {
  const key = 'artifacts.pipelinerun.enable-deep-inspection';
  for (const text of ['1', 't', 'T', 'TRUE', 'true', 'True']) assert.equal(value(key, text), true);
  for (const text of ['0', 'f', 'F', 'FALSE', 'false', 'False']) assert.equal(value(key, text), false);
  for (const text of ['yes', 'tRUE', ' true', ''])
    assert.match(problems({ [key]: text }), /which is not a boolean/);
});

test('transparency takes a boolean or manual', () => {
  assert.equal(value('transparency.enabled', 'T'), 'true');
  assert.equal(value('transparency.enabled', 'manual'), 'manual');
  assert.match(problems({ 'transparency.enabled': 'manuel' }), /did you mean "manual"/);
});

test('every problem is named at once, with what is allowed and the word that was meant', () => {
  const message = problems({
    'artifacts.taskrun.format': 'slsa/v3',
    'artifacts.oci.storage': 'oci, gsc',
    'artifacts.oci.signer': 'X509',
  });
  assert.match(message, /artifacts\.taskrun\.format is "slsa\/v3".*did you mean "slsa\/v1".*slsa\/v2alpha4/);
  assert.match(message, /artifacts\.oci\.storage .* "gsc" is not allowed \(did you mean "gcs"/);
  assert.match(message, /artifacts\.oci\.signer is "X509".*did you mean "x509"/);
});

test('a key that is not known is only a warning, with the key that was meant', () => {
  const { config, warnings } = parseConfig({ 'artifact.taskrun.format': 'slsa/v1' });
  assert.equal(config['artifacts.taskrun.format'], 'tekton');
  assert.deepEqual(warnings.length, 1);
  assert.match(warnings[0] ?? '', /"artifact\.taskrun\.format" is not known.*artifacts\.taskrun\.format\?/);
});

test('the block of documentation that Tekton ships in its ConfigMaps is not an unknown key', () => {
  assert.deepEqual(parseConfig({ _example: '####' }).warnings, []);
});

test('keys named like members of every object are just not known', () => {
  const data = JSON.parse('{"__proto__": "x", "constructor": "y", "toString": "z"}');
  assert.equal(parseConfig(data).warnings.length, 3);
});

test('a ConfigMap full of keys that are not known gives a bounded number of warnings', () => {
  const data = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`key-${index}`, '']));
  const { warnings } = parseConfig(data);
  assert.equal(warnings.length, 21);
  assert.match(warnings.at(-1) ?? '', /4980 more keys/);
});

test('a value that is not a string says to put it in quotes', () => {
  for (const given of [true, 3, null, ['x'], {}]) {
    assert.match(
      problems({ 'transparency.enabled': given }),
      /transparency\.enabled .*put its value in quotes/,
    );
  }
});

test('no message shows a token, or the credentials in a URL', () => {
  const message = problems({
    'signers.kms.auth.token': 'hunter2 ',
    'storage.docdb.mongo-server-url': 'mongo://user:hunter2@db',
    'storage.docdb.url': 'mongo://user:hunter2@db',
    'storage.archivista.url': `ftp://user:hunter2${'x'.repeat(200)}@db/`,
  });
  assert.match(message, /signers\.kms\.auth\.token .* not shown/);
  assert.doesNotMatch(message, /hunter2/);
});

test('a message stays short and on one line whatever the value holds', () => {
  const message = problems({ 'artifacts.taskrun.signer': `\u0000\n\u2028\u0085${'x'.repeat(100_000)}` });
  assert(message.length < 500);
  assert.doesNotMatch(message, /[\p{Cc}\u2028]/u);
});

test('the scheme of a KMS reference chooses the provider', () => {
  const references = {
    gcpkms: 'gcpkms://projects/p/locations/l/keyRings/r/cryptoKeys/k/versions/3',
    hashivault: 'hashivault://release-key',
    openbao: 'openbao://k',
    awskms: 'awskms:///arn:aws:kms:eu-west-1:111122223333:key/1234abcd',
    azurekms: 'azurekms://vault.vault.azure.net/key',
  };
  for (const [scheme, text] of Object.entries(references)) {
    assert.equal(value('signers.kms.kmsref', text)?.scheme, scheme);
  }
  assert.equal(
    value('signers.kms.kmsref', 'awskms://localhost:4566/alias/x')?.path,
    'localhost:4566/alias/x',
  );
  assert.match(problems({ 'signers.kms.kmsref': 'gcpkm://x' }), /did you mean "gcpkms:\/\/"/);
  assert.match(
    problems({ 'signers.kms.kmsref': 'gcpkms://x' }),
    /does not have the form of its scheme: use gcpkms:\/\/projects/,
  );
  assert.match(problems({ 'signers.kms.kmsref': 'constructor://x' }), /scheme is not known/);
});

test('a docdb URL is split into scheme, path and options', () => {
  const text = 'firestore://projects/p/databases/(default)/documents/c?name_field=name';
  const url = value('storage.docdb.url', text);
  assert.equal(url?.path, 'projects/p/databases/(default)/documents/c');
  assert.equal(url?.options.get('name_field'), 'name');
  assert.equal(value('storage.docdb.url', 'dynamodb://table?partition_key=name')?.scheme, 'dynamodb');
  assert.match(problems({ 'storage.docdb.url': 'mem://c/id' }), /scheme is not known/);
});

test('a repository has no scheme, tag or digest', () => {
  assert.equal(value('storage.oci.repository', 'localhost:5000/a/b'), 'localhost:5000/a/b');
  for (const text of ['https://example.com/a', 'example.com/a:latest', 'example.com/a@sha256:00']) {
    assert.match(problems({ 'storage.oci.repository': text }), /without scheme, tag or digest/);
  }
});

test('a line break at the end of a value is found', () => {
  assert.match(problems({ 'storage.gcs.bucket': 'bucket\n' }), /space or line break at an end/);
  assert.match(problems({ 'transparency.url': 'https://rekor.example.com\n' }), /which is not one/);
});
