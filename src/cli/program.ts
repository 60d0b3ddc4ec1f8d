import { Argument, Command, CommanderError, Option } from 'commander';
import type { CompletedShell } from './commands/completion.ts';
import type { ControllerArguments } from './commands/controller.ts';
import type { ExplainArguments } from './commands/explain.ts';
import type { ExportArguments } from './commands/export.ts';
import type { InstallArguments } from './commands/install.ts';
import type { KeygenOptions } from './commands/keygen.ts';
import type { MigrateArguments } from './commands/migrate.ts';
import type { SandboxArguments } from './commands/sandbox.ts';
import type { SignArguments } from './commands/sign.ts';
import type { UninstallArguments } from './commands/uninstall.ts';
import type { VerifyArguments } from './commands/verify.ts';
import { examplesText } from './examples.ts';
import {
  config,
  namespace,
  insecure,
  uid,
  kubeconfig,
  context,
  signingSecrets,
  files,
  textOrJson,
  systemNamespace,
  suggesting,
  onCluster,
  withEvidence,
  names,
  atLeast,
} from './options.ts';
import { width } from './terminal/layout.ts';
import { parserErrorText } from './terminal/report.ts';
import { versionText } from './version.ts';

/** The command `chains`; the code of a subcommand is loaded when it is called. */
export function program(): Command {
  const chains = new Command('chains')
    .description('Signs every finished Tekton run and stores the proof where you want it.')
    .option('--version', 'print the version and the commit')
    .exitOverride();
  chains.on('option:version', () => {
    process.stdout.write(`${versionText()}\n`);
    throw new CommanderError(0, 'commander.version', 'version printed');
  });
  addController(chains);
  addInstall(chains);
  addUninstall(chains);
  addSandbox(chains);
  addDemo(chains);
  addSign(chains);
  addExplain(chains);
  addVerify(chains);
  addExport(chains);
  addMigrate(chains);
  addKeygen(chains);
  addCompletion(chains);
  for (const command of [chains, ...chains.commands]) present(command);
  return chains;
}

/** Examples below the help, at most 100 columns, and errors of one line with a hint. */
function present(command: Command): void {
  const line = command.parent === null ? 'chains' : `chains ${command.name()}`;
  command.addHelpText('after', examplesText(command.name())).configureOutput({
    getOutHelpWidth: () => Math.min(process.stdout.columns || width, width),
    getErrHelpWidth: () => Math.min(process.stderr.columns || width, width),
    outputError: (text, write) => write(parserErrorText(text, line)),
  });
}

function addController(chains: Command): void {
  onCluster(chains.command('controller'))
    .description('watch a cluster; sign, store and mark every run that finishes')
    .addOption(
      new Option('--namespace <names>', 'only runs of these namespaces, separated by commas')
        .argParser(names)
        .default([], 'all'),
    )
    .addOption(signingSecrets)
    .addOption(new Option('--name <name>', "this replica's (default: a random one)").env('POD_NAME'))
    .option('--concurrency <number>', 'runs handled at once', atLeast(1), 16)
    .option(
      '--state-dir <folder>',
      'where to record what is being signed, so that other runs are handled first after a crash',
    )
    .option('--metrics-port <port>', 'for /metrics; 0 picks a free one', atLeast(0), 9090)
    .option('--health-port <port>', 'for /healthz and /readyz; 0 picks a free one', atLeast(0), 8080)
    .action(async (options: ControllerArguments) =>
      (await import('./commands/controller.ts')).runController(options),
    );
}

/** Adds the options of `install` and `uninstall`. */
function installation(command: Command): Command {
  return command
    .option(...kubeconfig)
    .option(...context)
    .addOption(systemNamespace('-n, --namespace', 'namespace of the installation'))
    .option('--timeout <seconds>', 'how long to wait for each step', atLeast(1), 120);
}

function addInstall(chains: Command): void {
  installation(chains.command('install'))
    .description('install the controller in a cluster, with a key; sign a run and verify it')
    .option('--image <reference>', "the controller's image (default: that of deploy/base/kustomization.yaml)")
    .option('--dry-run', 'only print the manifests')
    .action(async (options: InstallArguments) => {
      process.exitCode = await (await import('./commands/install.ts')).runInstall(options);
    });
}

function addUninstall(chains: Command): void {
  installation(chains.command('uninstall'))
    .description('take the controller out of a cluster, and its finalizers off all runs')
    .option('--delete-key', 'delete the Secret with the signing key, too')
    .action(async (options: UninstallArguments) =>
      (await import('./commands/uninstall.ts')).runUninstall(options),
    );
}

function addSandbox(chains: Command): void {
  chains
    .command('sandbox')
    .description('serve a Kubernetes-style API on loopback, with a running controller, until stopped')
    .option('--port <port>', 'port to listen on; 0 picks a free one', atLeast(0), 0)
    .option('--no-controller', 'only the API: bring your own controller')
    .action(async (options: SandboxArguments) => (await import('./commands/sandbox.ts')).runSandbox(options));
}

function addDemo(chains: Command): void {
  chains
    .command('demo')
    .description('sign one run in a sandbox and verify it, step by step')
    .action(async () => (await import('./commands/demo.ts')).runDemo());
}

function addSign(chains: Command): void {
  const forms = 'json, yaml (the runs with their annotations) or dir=FOLDER';
  chains
    .command('sign')
    .description('sign runs without a cluster; nothing is stored')
    .addOption(files)
    .option(...config)
    .addOption(signingSecrets)
    .addOption(suggesting('-o, --output <form>', forms, ['json', 'yaml', 'dir=']).default('json'))
    .action(async (options: SignArguments) => {
      process.exitCode = await (await import('./commands/sign.ts')).runSign(options);
    });
}

function addExplain(chains: Command): void {
  onCluster(chains.command('explain'))
    .description('show what would be signed of runs, and why; nothing is signed or written')
    .argument('[names...]', 'runs in a cluster: taskrun/NAME, pipelinerun/NAME')
    .addOption(files)
    .option(...namespace)
    .option(...config)
    .addOption(textOrJson)
    .action(async (names: readonly string[], options: ExplainArguments) => {
      process.exitCode = await (await import('./commands/explain.ts')).runExplain(names, options);
    });
}

function addVerify(chains: Command): void {
  withEvidence(onCluster(chains.command('verify')))
    .description('check the signatures of runs, and that they belong to these runs; exit code 3 if not')
    .argument(
      '[names...]',
      'runs in a cluster: taskrun/NAME, pipelinerun/NAME; image and references of images; or bundles: FILE.sigstore.json',
    )
    .addOption(files)
    .option(...namespace)
    .option(...insecure)
    .addOption(
      new Option(
        '--key <key...>',
        'keys, any of which may have signed: a file (public key, certificate, PGP public key), a KMS reference, k8s://NAMESPACE/SECRET',
      ).default([], 'none'),
    )
    .option(...config)
    .option(
      '--store <names>',
      'stores that must have the run: gcs, docdb, oci, grafeas, archivista, tekton (its annotations), or all of its kind and of images (default: those of its kind in the configuration)',
    )
    .option(...uid)
    .option('--builder-id <id>', 'the builder that the provenance must name')
    .option(
      '--source-uri <uri>',
      'a source that it must name, with or without git+ at the start and .git at the end',
    )
    .option('--source-digest <digest>', 'ALG:HEX or HEX of that source')
    .option('--build-type <uri>', 'the build type that it must have')
    .addOption(new Option('--require <what>', 'the provenance that must be there').choices(['slsa-v1']))
    .addOption(textOrJson)
    .action(async (names: readonly string[], options: VerifyArguments) => {
      process.exitCode = await (await import('./commands/verify.ts')).runVerify(names, options);
    });
}

function addExport(chains: Command): void {
  onCluster(chains.command('export'))
    .description('write the stored signatures of a run as Sigstore bundles, without verifying them')
    .argument('<name>', 'a run in a cluster: taskrun/NAME or pipelinerun/NAME')
    .option(...namespace)
    .option(...insecure)
    .option(...config)
    .option('--store <name>', "the store to read (default: the first of the run's kind in the configuration)")
    .option(...uid)
    .requiredOption(
      '--out <file>',
      "the file of the run's bundle; those of its images have KEY before .sigstore.json",
    )
    .action(async (name: string, options: ExportArguments) => {
      await (await import('./commands/export.ts')).runExport(name, options);
    });
}

function addMigrate(chains: Command): void {
  chains
    .command('migrate')
    .description("print another Chains' ConfigMap as it must be written here to mean the same")
    .option('-f, --file <path>', 'the ConfigMap chains-config; - for standard input', '-')
    .action(async (options: MigrateArguments) => (await import('./commands/migrate.ts')).runMigrate(options));
}

function addKeygen(chains: Command): void {
  const types = ['ecdsa', 'ed25519', 'rsa', 'cosign', 'pgp'];
  chains
    .command('keygen')
    .description('make a signing key')
    .addOption(suggesting('--type <type>', 'kind of key', types).makeOptionMandatory())
    .option('--out <folder>', "write the key's files there (default: this folder)")
    .option('--secret', 'print the Secret signing-secrets instead, for kubectl apply -f -')
    .option('--apply', 'with --secret: create it in the cluster; never overwrites a key')
    .option('--kubeconfig <file>', 'kubeconfig for --apply (default: as for controller)')
    .option(...context)
    .addOption(systemNamespace('--namespace', 'namespace of the Secret'))
    .option('--name <user id>', 'user id of a PGP key (default: Tekton Chains)')
    .addHelpText('after', '\nA cosign key gets the password in COSIGN_PASSWORD, else a new one.')
    .action(async (options: KeygenOptions) =>
      (await import('./commands/keygen.ts')).keygen(options, process),
    );
}

function addCompletion(chains: Command): void {
  chains
    .command('completion')
    .description('print the completion script for a shell')
    .addArgument(new Argument('<shell>', 'which shell').choices(['bash', 'zsh', 'fish']))
    .action(async (shell: CompletedShell) =>
      (await import('./commands/completion.ts')).printCompletion(shell, chains),
    );
}
