import { Command, InvalidArgumentError, Option } from 'commander';
import type { ControllerArguments } from './controller.ts';
import type { KeygenOptions } from './keygen.ts';
import type { SandboxArguments } from './sandbox.ts';
import { version } from '../model/version.ts';

/** The command `chains`; each subcommand's code is loaded when it is called. */
export function program(): Command {
  const chains = new Command('chains')
    .description('Signs every finished Tekton run and stores the proof where you want it.')
    .version(version, '--version')
    .exitOverride()
    .showHelpAfterError('(add --help for what can be said)');
  for (const command of [controller(), sandbox(), demo(), keygen()])
    chains.addCommand(command.copyInheritedSettings(chains));
  return chains;
}

function controller(): Command {
  return new Command('controller')
    .description('watch a cluster; sign, store and mark every run that finishes')
    .option(
      '--kubeconfig <file>',
      'kubeconfig to use (default: KUBECONFIG, ~/.kube/config, the pod’s own account)',
    )
    .option('--context <name>', 'context of the kubeconfig')
    .option(
      '--namespace <names>',
      'only runs of these namespaces, separated by commas (default: all)',
      names,
      [],
    )
    .addOption(
      new Option('--system-namespace <name>', 'where the ConfigMap chains-config is')
        .env('SYSTEM_NAMESPACE')
        .default('tekton-chains'),
    )
    .option(
      '--signing-secrets <folder>',
      'where the Secret signing-secrets is mounted',
      '/etc/signing-secrets',
    )
    .option('--concurrency <number>', 'runs handled at once', atLeast(1), 16)
    .option('--metrics-port <port>', 'for /metrics; 0 picks a free one', atLeast(0), 9090)
    .option('--health-port <port>', 'for /healthz and /readyz; 0 picks a free one', atLeast(0), 8080)
    .action(async (options: ControllerArguments) => (await import('./controller.ts')).runController(options));
}

function sandbox(): Command {
  return new Command('sandbox')
    .description('serve a Kubernetes-style API on loopback, with a controller at work, until stopped')
    .option('--port <port>', 'port to listen on; 0 picks a free one', atLeast(0), 0)
    .option('--no-controller', 'only the API: bring your own controller')
    .addHelpText(
      'after',
      '\nExample:\n  chains sandbox            prints a KUBECONFIG to use in another shell',
    )
    .action(async (options: SandboxArguments) => (await import('./sandbox.ts')).runSandbox(options));
}

function demo(): Command {
  return new Command('demo')
    .description('sign one run in a sandbox and verify it, step by step')
    .action(async () => (await import('./demo.ts')).runDemo());
}

function keygen(): Command {
  return new Command('keygen')
    .description('make a signing key')
    .requiredOption('--type <type>', 'ecdsa, ed25519, rsa, cosign or pgp')
    .option('--out <folder>', 'write the key’s files there (default: this folder)')
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
      `
A cosign key gets the password in COSIGN_PASSWORD where that is set, else a new one.

Examples:
  chains keygen --type ecdsa --secret | kubectl apply -f -
  chains keygen --type cosign --out keys
  chains keygen --type pgp --name 'Builds <builds@example.com>' --secret --apply`,
    )
    .action(async (options: KeygenOptions) => (await import('./keygen.ts')).keygen(options, process));
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
