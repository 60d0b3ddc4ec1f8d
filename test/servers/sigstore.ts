import { createSign, generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { request } from 'undici';
import { untilAnswers } from './answers.ts';
import { startCertificateLog } from './ct-log.ts';
import { freePorts, outputOf, type Running, run, start, temporaryFolder } from './process.ts';
import { tool, trillianSchema } from './tools.ts';

/** A private Sigstore, all of it on loopback. */
export interface PrivateSigstore {
  /** The issuer of tokens: those of service accounts, in the shape of a cluster's. */
  readonly issuer: string;
  readonly fulcio: string;
  /** Whole: `…/api/v1/timestamp`. */
  readonly timestamps: string;
  readonly rekorV1: string;
  readonly rekorV2: string;
  /** Where Rekor v2 keeps its tiles. */
  readonly tiles: string;
  /** The path of a `trusted_root.json` for all of them, made by cosign. */
  readonly trustedRoot: string;
  /** The path of the timestamp authority's certificates. */
  readonly timestampChain: string;
  /** Files of this Sigstore, and room for those of tests. */
  readonly folder: string;
  /** A token of a service account. */
  token(account?: { readonly namespace?: string; readonly name?: string }): string;
  stop(): Promise<void>;
}

/** Starts an issuer of tokens, Fulcio, a timestamp authority, Rekor v2, and Rekor v1 on Trillian and MariaDB. */
export async function startSigstore(): Promise<PrivateSigstore> {
  const folder = await temporaryFolder('chains-sigstore');
  const at = (name: string) => join(folder.path, name);
  const programs: Running[] = [];
  const launch = (program: string, args: readonly string[]): Running => {
    const started = start(program, args, { cwd: folder.path });
    programs.push(started);
    return started;
  };
  const [issuer, certificates] = [await startIssuer(), await startCertificateLog()];
  await writeFile(at('ctfe.pub'), certificates.publicKey);
  const [fulcio, timestamps, rekorV2, rekorV1] = await Promise.all([
    startFulcio(at, launch, issuer.url, certificates.url),
    startTimestamps(at, launch),
    startRekorV2(at, launch),
    startRekorV1(at, launch),
  ]);
  await createTrustedRoot(at, { fulcio, timestamps, rekorV1, rekorV2, certificates: certificates.url });
  return {
    issuer: issuer.url,
    fulcio,
    timestamps: `${timestamps}/api/v1/timestamp`,
    rekorV1,
    rekorV2,
    tiles: at('tiles'),
    trustedRoot: at('trusted_root.json'),
    timestampChain: at('tsa.pem'),
    folder: folder.path,
    token: issuer.token,
    async stop() {
      for (const program of programs.toReversed()) program.kill('SIGKILL');
      await Promise.allSettled(programs.map((program) => program.finished));
      issuer.server.close();
      await certificates.close();
      await folder.remove();
    },
  };
}

type At = (name: string) => string;
type Launch = (program: string, args: readonly string[]) => Running;

async function startIssuer(): Promise<{ server: Server; url: string; token: PrivateSigstore['token'] }> {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const server = createServer((asked, answer) => {
    const json = asked.url === '/keys' ? { keys: [jwk] } : configuration;
    answer.setHeader('content-type', 'application/json').end(JSON.stringify(json));
  });
  const [port = 0] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k1', use: 'sig', alg: 'RS256' };
  const configuration = {
    issuer: url,
    jwks_uri: `${url}/keys`,
    authorization_endpoint: `${url}/auth`,
    token_endpoint: `${url}/token`,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
  };
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const token: PrivateSigstore['token'] = ({
    namespace = 'tekton-chains',
    name = 'tekton-chains-controller',
  } = {}) => {
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      ...{ iss: url, sub: `system:serviceaccount:${namespace}:${name}`, aud: 'sigstore' },
      ...{ iat: now, nbf: now, exp: now + 3600, jti: randomUUID() },
      'kubernetes.io': {
        namespace,
        pod: { name: `${name}-0`, uid: randomUUID() },
        serviceaccount: { name, uid: randomUUID() },
      },
    };
    const [head, body] = [{ alg: 'RS256', kid: 'k1', typ: 'JWT' }, claims].map((part) =>
      Buffer.from(JSON.stringify(part)).toString('base64url'),
    );
    const signature = createSign('sha256').update(`${head}.${body}`).sign(privateKey, 'base64url');
    return `${head}.${body}.${signature}`;
  };
  return { server, url, token };
}

async function startFulcio(at: At, launch: Launch, issuer: string, certificates: string): Promise<string> {
  const [port = 0, grpc = 0, metrics = 0] = await freePorts(3);
  // Read as YAML whatever it looks like, and by other names as JSON.
  const issuers = `oidc-issuers:\n  ${issuer}:\n    issuer-url: ${issuer}\n    client-id: sigstore\n    type: kubernetes\n`;
  await writeFile(at('fulcio.yaml'), issuers);
  await writeFile(
    at('ca.cnf'),
    `[req]
distinguished_name=dn
x509_extensions=v3
prompt=no
[dn]
O=test
CN=test fulcio
[v3]
basicConstraints=critical,CA:TRUE,pathlen:0
keyUsage=critical,keyCertSign,cRLSign
subjectKeyIdentifier=hash
extendedKeyUsage=codeSigning
`,
  );
  const openssl = (...args: readonly string[]) => outputOf(tool('openssl'), args);
  await openssl('ecparam', '-genkey', '-name', 'prime256v1', '-noout', '-out', at('ca.sec1'));
  const encrypted = ['-topk8', '-passout', 'pass:pw', '-v2', 'aes256', '-out', at('ca.key')];
  await openssl('pkcs8', '-in', at('ca.sec1'), ...encrypted);
  const request = ['-days', '3650', '-sha256', '-config', at('ca.cnf'), '-out', at('fulcio.pem')];
  await openssl('req', '-x509', '-new', '-key', at('ca.sec1'), ...request);
  const program = launch(tool('fulcio'), [
    ...[
      'serve',
      '--host',
      '127.0.0.1',
      '--port',
      `${port}`,
      '--grpc-host',
      '127.0.0.1',
      '--grpc-port',
      `${grpc}`,
    ],
    ...['--metrics-port', `${metrics}`, '--ca', 'fileca', '--fileca-cert', at('fulcio.pem')],
    ...['--fileca-key', at('ca.key'), '--fileca-key-passwd', 'pw', '--ct-log-url', certificates],
    ...['--config-path', at('fulcio.yaml'), '--legacy-unix-domain-socket', `@fulcio-${port}`],
  ]);
  await untilAnswers(`http://127.0.0.1:${port}/api/v2/trustBundle`, program);
  return `http://127.0.0.1:${port}`;
}

async function startTimestamps(at: At, launch: Launch): Promise<string> {
  const [port = 0] = await freePorts(1);
  const program = launch(tool('timestamp-server'), [
    ...['serve', '--host', '127.0.0.1', '--port', `${port}`, '--timestamp-signer', 'memory'],
    ...['--disable-ntp-monitoring', '--include-chain-in-response'],
  ]);
  const url = `http://127.0.0.1:${port}`;
  await untilAnswers(`${url}/ping`, program);
  await writeFile(at('tsa.pem'), await (await request(`${url}/api/v1/timestamp/certchain`)).body.text());
  return url;
}

async function startRekorV2(at: At, launch: Launch): Promise<string> {
  const [port = 0, grpc = 0, metrics = 0] = await freePorts(3);
  await outputOf(tool('openssl'), ['genpkey', '-algorithm', 'ed25519', '-out', at('rekor2.key')]);
  await outputOf(tool('openssl'), ['pkey', '-in', at('rekor2.key'), '-pubout', '-out', at('rekor2.pub')]);
  const program = launch(tool('rekor-tiles'), [
    ...['serve', '--http-address', '127.0.0.1', '--http-port', `${port}`, '--grpc-address', '127.0.0.1'],
    ...['--grpc-port', `${grpc}`, '--http-metrics-port', `${metrics}`, '--hostname', '127.0.0.1'],
    ...['--storage-dir', at('tiles'), '--signer-filepath', at('rekor2.key')],
    ...['--checkpoint-interval', '200ms', '--batch-max-age', '50ms'],
  ]);
  await untilAnswers(`http://127.0.0.1:${port}/healthz`, program);
  return `http://127.0.0.1:${port}`;
}

async function startRekorV1(at: At, launch: Launch): Promise<string> {
  const [database = 0, log = 0, logHttp = 0, signer = 0, signerHttp = 0, port = 0] = await freePorts(6);
  await startDatabase(at, launch, database);
  const storage = [
    `--mysql_uri=t:t@tcp(127.0.0.1:${database})/trillian`,
    '--storage_system=mysql',
    '--quota_system=noop',
  ];
  const server = launch(tool('trillian_log_server'), [
    ...storage,
    `--rpc_endpoint=127.0.0.1:${log}`,
    `--http_endpoint=127.0.0.1:${logHttp}`,
  ]);
  launch(tool('trillian_log_signer'), [
    ...storage,
    ...['--force_master', '--sequencer_interval=50ms', '--num_sequencers=1'],
    `--rpc_endpoint=127.0.0.1:${signer}`,
    `--http_endpoint=127.0.0.1:${signerHttp}`,
  ]);
  await untilAnswers(`http://127.0.0.1:${logHttp}/healthz`, server);
  const rekor = launch(tool('rekor-server'), [
    ...['serve', '--rekor_server.address=127.0.0.1', `--port=${port}`, '--rekor_server.signer=memory'],
    ...['--trillian_log_server.address=127.0.0.1', `--trillian_log_server.port=${log}`],
    ...['--enable_retrieve_api=false', '--enable_attestation_storage=false'],
    ...['--rekor_server.hostname=127.0.0.1', '--search_index.storage_provider=mysql'],
    `--search_index.mysql.dsn=t:t@tcp(127.0.0.1:${database})/trillian`,
  ]);
  const url = `http://127.0.0.1:${port}`;
  await untilAnswers(`${url}/api/v1/log/publicKey`, rekor);
  await writeFile(at('rekor1.pub'), await (await request(`${url}/api/v1/log/publicKey`)).body.text());
  return url;
}

/** MariaDB with Trillian's tables. Its socket's path must be short. */
async function startDatabase(at: At, launch: Launch, port: number): Promise<void> {
  const socket = at('db.socket');
  await outputOf(tool('mariadb-install-db'), [
    ...['--no-defaults', `--datadir=${at('db')}`, '--user=root'],
    ...['--auth-root-authentication-method=normal', '--skip-test-db'],
  ]);
  const program = launch(tool('mariadbd'), [
    ...[
      '--no-defaults',
      `--datadir=${at('db')}`,
      '--user=root',
      '--bind-address=127.0.0.1',
      `--port=${port}`,
    ],
    ...[`--socket=${socket}`, '--innodb-flush-log-at-trx-commit=0', '--innodb-buffer-pool-size=32M'],
    '--performance-schema=OFF',
  ]);
  const sql = (input: string, ...more: readonly string[]) =>
    run(tool('mariadb'), ['--no-defaults', '-u', 'root', '-S', socket, ...more], { input });
  for (let tries = 0; (await sql('select 1')).code !== 0; tries += 1) {
    if (tries === 300) throw new Error(`MariaDB doesn't answer:\n${program.output()}`);
    await pause(100);
  }
  const setup = [
    'create database trillian',
    "create user t@'127.0.0.1' identified by 't'",
    "grant all on trillian.* to t@'127.0.0.1'",
    'flush privileges',
  ];
  const schema = await readFile(trillianSchema(), 'utf8');
  for (const done of [await sql(setup.join(';')), await sql(schema, 'trillian')])
    if (done.code !== 0) throw new Error(done.stderr);
}

/** The trusted root of this Sigstore, as cosign makes it. */
async function createTrustedRoot(
  at: At,
  urls: Readonly<Record<'fulcio' | 'timestamps' | 'rekorV1' | 'rekorV2' | 'certificates', string>>,
): Promise<void> {
  const since = 'start-time=2025-01-01T00:00:00Z';
  await mkdir(at('cosign-home'), { recursive: true });
  await outputOf(
    tool('cosign 3'),
    [
      ...['trusted-root', 'create', `--fulcio=url=${urls.fulcio},certificate-chain=${at('fulcio.pem')}`],
      `--rekor=url=${urls.rekorV1},public-key=${at('rekor1.pub')},${since}`,
      `--rekor=url=${urls.rekorV2},public-key=${at('rekor2.pub')},${since},origin=127.0.0.1`,
      `--ctfe=url=${urls.certificates},public-key=${at('ctfe.pub')},${since}`,
      `--tsa=url=${urls.timestamps},certificate-chain=${at('tsa.pem')}`,
      `--out=${at('trusted_root.json')}`,
    ],
    { environment: { PATH: process.env['PATH'], HOME: at('cosign-home') } },
  );
}
