import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keyTypes } from '../../src/cli/keygen/new-keys.ts';
import { startAwsKms } from '../doubles/aws-kms.ts';
import { startAzureKeyVault } from '../doubles/azure-key-vault.ts';
import { startGcpKms } from '../doubles/gcp-kms.ts';
import type { StoredKey } from '../doubles/keys.ts';
import { startTunnel } from '../doubles/tunnel.ts';
import { startVault } from '../doubles/vault.ts';
import { keyPairs, pkcs8, spki } from '../sign/keys.ts';
import { authority } from '../sign/kms/environment.ts';

/** A key that signs, wherever it is kept. */
export interface SigningKey {
  /** The signer's name and what kind of key it is. */
  readonly name: string;
  readonly signer: 'x509' | 'pgp' | 'kms';
  /** More of the ConfigMap's data. */
  readonly data: Readonly<Record<string, string>>;
  /** The Secret's files. */
  readonly files: Readonly<Record<string, string>>;
  /** What it is verified with: a PEM, or an armored PGP public key. */
  readonly publicKey: string;
}

/** Keys in files, one of each kind. */
export async function keysInFiles(): Promise<readonly SigningKey[]> {
  const plain = Object.entries(keyPairs).map(([kind, generate]): SigningKey => {
    const { privateKey, publicKey } = generate();
    const files = { 'x509.pem': pkcs8(privateKey) };
    return { name: `x509 ${kind}`, signer: 'x509', data: {}, files, publicKey: spki(publicKey) };
  });
  return [
    ...plain,
    await newKey('cosign', 'x509', 'cosign.pub'),
    await newKey('pgp', 'pgp', 'pgp.public-key'),
  ];
}

async function newKey(type: string, signer: 'x509' | 'pgp', publicName: string): Promise<SigningKey> {
  const made = await keyTypes.get(type)?.({ name: 'Builds', environment: {} });
  const files = Object.fromEntries((made?.files ?? []).map(({ name, text }) => [name, text]));
  return { name: type, signer, data: {}, files, publicKey: files[publicName] ?? '' };
}

const azureHost = 'team.vault.azure.net';
const googleHosts = ['cloudkms.googleapis.com', 'oauth2.googleapis.com'] as const;
const googleKey = 'projects/p/locations/global/keyRings/r/cryptoKeys/chains';

/** A key in a double of each KMS; sets what the clients read of the environment of this process. */
export async function keysInServices(): Promise<{
  readonly keys: readonly SigningKey[];
  close(): Promise<unknown>;
}> {
  const folder = await mkdtemp(join(tmpdir(), 'chains-kms-'));
  const vault = await startVault();
  const aws = await startAwsKms(authority.issue('kms', ['localhost']));
  const gcp = await startGcpKms(authority.issue('Google', googleHosts));
  const azure = await startAzureKeyVault(authority.issue('Azure', [azureHost, 'login.microsoftonline.com']));
  const tunnel = await startTunnel({
    [googleHosts[0]]: gcp.port,
    [googleHosts[1]]: gcp.tokens.port,
    [azureHost]: azure.port,
    'login.microsoftonline.com': azure.authority.port,
  });
  const credential = join(folder, 'google');
  await writeFile(credential, gcp.serviceAccount('signer@p', 'signer'));
  Object.assign(process.env, aws.createAccessKey('signer'), azure.createClient('signer'), {
    ...{ AWS_EC2_METADATA_DISABLED: 'true', AWS_CONFIG_FILE: '/nowhere' },
    ...{ AWS_SHARED_CREDENTIALS_FILE: '/nowhere', AWS_REGION: aws.region },
    ...{ AZURE_TOKEN_CREDENTIALS: 'prod', GOOGLE_APPLICATION_CREDENTIALS: credential },
    ...{ HTTPS_PROXY: tunnel.url, NO_PROXY: '127.0.0.1,localhost' },
  });
  vault.createKey('chains', 'P-256');
  gcp.createKey(googleKey, 'P-384');
  azure.createKey('chains', 'RSA 2048');
  const awsKey = aws.createKey('P-521');
  const kept = (reference: string, key: StoredKey | undefined, more = {}): SigningKey => ({
    name: `kms ${reference.split(':')[0] ?? ''} ${key?.kind ?? ''}`,
    signer: 'kms',
    data: { 'signers.kms.kmsref': reference, ...more },
    files: {},
    publicKey: key?.versions[0]?.publicKey.export({ format: 'pem', type: 'spki' }).toString() ?? '',
  });
  return {
    keys: [
      kept('hashivault://chains', vault.keys.get('chains'), {
        'signers.kms.auth.address': vault.address,
        'signers.kms.auth.token': vault.rootToken,
      }),
      kept(`gcpkms://${googleKey}`, gcp.keys.get(googleKey)),
      kept(`awskms://localhost:${aws.port}/${awsKey}`, aws.keys.get(awsKey)),
      kept(`azurekms://${azureHost}/chains`, azure.keys.get('chains')),
    ],
    close: () =>
      Promise.all([
        ...[vault, aws, gcp, azure, tunnel].map((server) => server.close()),
        rm(folder, { recursive: true }),
      ]),
  };
}
