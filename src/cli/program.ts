import { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { CompletedShell } from './completion/index.ts';
import type { ControllerArguments } from './commands/controller.ts';
import type { ExplainArguments } from './commands/explain.ts';
import { examplesText } from './examples.ts';
import type { KeygenOptions } from './commands/keygen.ts';
import type { MigrateArguments } from './commands/migrate.ts';
import { usageError } from './terminal/near-miss.ts';
import { errorText, hintText } from './terminal/report.ts';
import type { SandboxArguments } from './commands/sandbox.ts';
import type { SignArguments } from './commands/sign.ts';
import type { ExportArguments } from './commands/export.ts';
import type { VerifyArguments } from './commands/verify.ts';
import { withEvidence } from './evidence-options.ts';
import { versionText } from './version.ts';
import { width } from './terminal/wrap.ts';

/** The command `chains`; each subcommand's code is loaded when it is called. */
export function program(): Command {
  const chains = new Command('chains')
    .description('Signs every finished Tekton run and stores the proof where you want it.')
    .option('--version', 'print the version and the commit')
    .exitOverride();
  chains.on('option:version', () => {
    process.stdout.write(`${versionText()}\n`);
    throw new CommanderError(0, 'commander.version', 'told');
  });
  const commands = [
    controller(),
    sandbox(),
    demo(),
    sign(),
    explain(),
    verify(),
    exporting(),
    migrate(),
    keygen(),
    completion(chains),
  ];
  for (const command of commands) chains.addCommand(command.copyInheritedSettings(chains));
  for (const command of [chains, ...commands]) present(command);
  return chains;
}

/** Examples below the help, at most 100 columns, and errors of one line with a hint. */
function present(command: Command): void {
  const line = command.parent === null ? 'chains' : `chains ${command.name()}`;
  command.addHelpText('after', examplesText(command.name())).configureOutput({
    getOutHelpWidth: () => Math.min(process.stdout.columns || width, width),
    getErrHelpWidth: () => Math.min(process.stderr.columns || width, width),
    outputError(text, write) {
      const { error, hint } = usageError(text, line);
      write(errorText(error.replace(/^error: /, '')) + hintText(hint));
    },
  });
}

/** Adds the options of whatever talks to a cluster. */
function onCluster(command: Command): Command {
  return command
    .option(
      '--kubeconfig <file>',
      "kubeconfig to use (default: KUBECONFIG, ~/.kube/config, the pod's own account)",
    )
    .option('--context <name>', 'context of the kubeconfig')
    .addOption(
      new Option('--system-namespace <name>', 'where the ConfigMap chains-config is')
        .env('SYSTEM_NAMESPACE')
        .default('tekton-chains'),
    );
}

function controller(): Command {
  return onCluster(new Command('controller'))
    .description('watch a cluster; sign, store and mark every run that finishes')
    .addOption(
      new Option('--namespace <names>', 'only runs of these namespaces, separated by commas')
        .argParser(names)
        .default([], 'all'),
    )
    .addOption(signingSecrets())
    .addOption(new Option('--name <name>', "this replica's (default: a random one)").env('POD_NAME'))
    .option('--concurrency <number>', 'runs handled at once', atLeast(1), 16)
    .option(
      '--state-dir <folder>',
      'where to note what is being signed, so that after a crash other runs go first',
    )
    .option('--metrics-port <port>', 'for /metrics; 0 picks a free one', atLeast(0), 9090)
    .option('--health-port <port>', 'for /healthz and /readyz; 0 picks a free one', atLeast(0), 8080)
    .action(async (options: ControllerArguments) =>
      (await import('./commands/controller.ts')).runController(options),
    );
}

function sandbox(): Command {
  return new Command('sandbox')
    .description('serve a Kubernetes-style API on loopback, with a running controller, until stopped')
    .option('--port <port>', 'port to listen on; 0 picks a free one', atLeast(0), 0)
    .option('--no-controller', 'only the API: bring your own controller')
    .action(async (options: SandboxArguments) => (await import('./commands/sandbox.ts')).runSandbox(options));
}

function demo(): Command {
  return new Command('demo')
    .description('sign one run in a sandbox and verify it, step by step')
    .action(async () => (await import('./commands/demo.ts')).runDemo());
}

function signingSecrets(): Option {
  return new Option(
    '--signing-secrets <folder>',
    'where the files of the Secret signing-secrets are',
  ).default('/etc/signing-secrets');
}

/** An option whose words are shown and completed; the command itself checks them. */
function offering(flags: string, description: string, words: readonly string[]): Option {
  return new Option(flags, description).choices(words).argParser((text) => text);
}

function files(): Option {
  return new Option(
    '-f, --file <path...>',
    'runs: files, folders, or - for standard input; YAML or JSON',
  ).default([], 'none');
}

const config = ['--config <file>', 'the ConfigMap chains-config, or its bare data'] as const;

function sign(): Command {
  return new Command('sign')
    .description('sign runs without a cluster; nothing is stored')
    .addOption(files())
    .option(...config)
    .addOption(signingSecrets())
    .addOption(
      offering('-o, --output <form>', 'json, yaml (the runs with their annotations) or dir=FOLDER', [
        'json',
        'yaml',
        'dir=',
      ]).default('json'),
    )
    .action(async (options: SignArguments) => {
      process.exitCode = await (await import('./commands/sign.ts')).runSign(options);
    });
}

function explain(): Command {
  return onCluster(new Command('explain'))
    .description('show what would be signed of runs, and why; nothing is signed or written')
    .argument('[names...]', 'runs in a cluster: taskrun/NAME, pipelinerun/NAME')
    .addOption(files())
    .option('-n, --namespace <name>', "namespace of the runs (default: the kubeconfig's)")
    .option(...config)
    .addOption(new Option('-o, --output <form>', 'how to print').choices(['text', 'json']).default('text'))
    .action(async (names: readonly string[], options: ExplainArguments) => {
      process.exitCode = await (await import('./commands/explain.ts')).runExplain(names, options);
    });
}

function verify(): Command {
  return withEvidence(onCluster(new Command('verify')))
    .description('check the signatures of runs, and that they are about these very runs; exit code 3 if not')
    .argument(
      '[names...]',
      'runs in a cluster: taskrun/NAME, pipelinerun/NAME; image and references of images; or bundles: FILE.sigstore.json',
    )
    .addOption(files())
    .option('-n, --namespace <name>', "namespace of the runs (default: the kubeconfig's)")
    .option('--insecure', 'registries may speak plain HTTP, or have an untrusted certificate')
    .addOption(
      new Option(
        '--key <key...>',
        'any of these: a file (public key, certificate, PGP public key), a KMS reference, k8s://NAMESPACE/SECRET',
      ).default([], 'none'),
    )
    .option(...config)
    .option(
      '--store <names>',
      'stores that must have the run: gcs, docdb, oci, grafeas, archivista, tekton (its annotations), or all of its kind and of images (default: those of its kind in the configuration)',
    )
    .option('--uid <uid>', 'of a run that the cluster no longer has')
    .option('--builder-id <id>', 'the builder that the provenance must name')
    .option('--source-uri <uri>', "a source that it must name; git+ before and .git behind don't count")
    .option('--source-digest <digest>', 'ALG:HEX or HEX of that source')
    .option('--build-type <uri>', 'the build type that it must have')
    .addOption(new Option('--require <what>', 'what provenance there must be').choices(['slsa-v1']))
    .addOption(new Option('-o, --output <form>', 'how to print').choices(['text', 'json']).default('text'))
    .action(async (names: readonly string[], options: VerifyArguments) => {
      process.exitCode = await (await import('./commands/verify.ts')).runVerify(names, options);
    });
}

function exporting(): Command {
  return onCluster(new Command('export'))
    .description(
      'write what is stored of runs as Sigstore bundles, which cosign verifies; nothing is verified here',
    )
    .argument('<name>', 'a run in a cluster: taskrun/NAME or pipelinerun/NAME')
    .option('-n, --namespace <name>', "namespace of the run (default: the kubeconfig's)")
    .option('--insecure', 'registries may speak plain HTTP, or have an untrusted certificate')
    .option(...config)
    .option('--store <name>', "the store to read (default: the first of the run's kind in the configuration)")
    .option('--uid <uid>', 'of a run that the cluster no longer has')
    .requiredOption('--out <file>', "the run's bundle; those of its images get KEY before .sigstore.json")
    .action(async (name: string, options: ExportArguments) => {
      await (await import('./commands/export.ts')).runExport(name, options);
    });
}

function migrate(): Command {
  return new Command('migrate')
    .description("print another Chains' ConfigMap as it must be written here to mean the same")
    .option('-f, --file <path>', 'the ConfigMap chains-config; - for standard input', '-')
    .action(async (options: MigrateArguments) => (await import('./commands/migrate.ts')).runMigrate(options));
}

function keygen(): Command {
  return new Command('keygen')
    .description('make a signing key')
    .addOption(
      offering('--type <type>', 'kind of key', [
        'ecdsa',
        'ed25519',
        'rsa',
        'cosign',
        'pgp',
      ]).makeOptionMandatory(),
    )
    .option('--out <folder>', "write the key's files there (default: this folder)")
    .option('--secret', 'print the Secret signing-secrets instead, for kubectl apply -f -')
    .option('--apply', 'with --secret: create it in the cluster, never over one that holds a key')
    .option('--kubeconfig <file>', 'kubeconfig for --apply (default: as for controller)')
    .option('--context <name>', 'context of the kubeconfig')
    .addOption(
      new Option('--namespace <name>', 'where the Secret belongs')
        .env('SYSTEM_NAMESPACE')
        .default('tekton-chains'),
    )
    .option('--name <user id>', 'of a PGP key (default: Tekton Chains)')
    .addHelpText(
      'after',
      '\nA cosign key gets the password in COSIGN_PASSWORD where that is set, else a new one.',
    )
    .action(async (options: KeygenOptions) =>
      (await import('./commands/keygen.ts')).keygen(options, process),
    );
}

function completion(chains: Command): Command {
  return new Command('completion')
    .description('print the script that completes words of this program in a shell')
    .addArgument(new Argument('<shell>', 'which shell').choices(['bash', 'zsh', 'fish']))
    .action(async (shell: CompletedShell) =>
      (await import('./completion/index.ts')).printCompletion(shell, chains),
    );
}

function names(text: string): readonly string[] {
  return text.split(',').flatMap((name) => (name.trim() === '' ? [] : [name.trim()]));
}

function atLeast(least: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (/^\d+$/.test(text) && number >= least && number <= 65_535) return number;
    throw new InvalidArgumentError(`It must be a whole number from ${least} to 65535.`);
  };
}
