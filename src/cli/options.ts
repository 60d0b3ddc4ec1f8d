import { type Command, InvalidArgumentError, Option } from 'commander';
import { defaultSystemNamespace } from '../config/parse.ts';

/** The ConfigMap, as a file. */
export const config = ['--config <file>', 'the ConfigMap chains-config, or its bare data'] as const;
/** The namespace of runs. */
export const namespace = [
  '-n, --namespace <name>',
  "namespace of the runs (default: the kubeconfig's)",
] as const;
/** Registries without TLS. */
export const insecure = [
  '--insecure',
  'registries may speak plain HTTP, or have an untrusted certificate',
] as const;
/** The run that is gone. */
export const uid = ['--uid <uid>', 'uid of a run that the cluster no longer has'] as const;
/** Which cluster. */
export const kubeconfig = [
  '--kubeconfig <file>',
  "kubeconfig to use (default: KUBECONFIG, ~/.kube/config, the pod's own account)",
] as const;
/** Which of its contexts. */
export const context = ['--context <name>', 'context of the kubeconfig'] as const;

/** Where the Secret's files are. */
export const signingSecrets = new Option(
  '--signing-secrets <folder>',
  'where the files of the Secret signing-secrets are',
).default('/etc/signing-secrets');

/** Runs from files. */
export const files = new Option(
  '-f, --file <path...>',
  'runs: files, folders, or - for standard input; YAML or JSON',
).default([], 'none');

/** Text for people, JSON for programs. */
export const textOrJson = new Option('-o, --output <form>', 'how to print')
  .choices(['text', 'json'])
  .default('text');

/** The option for the namespace of the controller's ConfigMap and Secret. */
export function systemNamespace(flag: string, description: string): Option {
  return new Option(`${flag} <name>`, description).env('SYSTEM_NAMESPACE').default(defaultSystemNamespace);
}

/** An option with suggested words for the help and for completion; the command itself checks the value. */
export function suggesting(flags: string, description: string, words: readonly string[]): Option {
  return new Option(flags, description).choices(words).argParser((text) => text);
}

/** Adds the options of commands that talk to a cluster. */
export function onCluster(command: Command): Command {
  return command
    .option(...kubeconfig)
    .option(...context)
    .addOption(systemNamespace('--system-namespace', 'where the ConfigMap chains-config is'));
}

/** Adds the options for what certificates, logs and timestamps must prove; their names are those of cosign. */
export function withEvidence(command: Command): Command {
  return command
    .option(
      '--certificate-identity <name>',
      'the identity that the certificate of a keyless signature must name',
    )
    .option('--certificate-identity-regexp <re>', 'the same as a regular expression, for the whole name')
    .option('--certificate-oidc-issuer <url>', 'the issuer that it must name')
    .option('--certificate-oidc-issuer-regexp <re>', 'the same as a regular expression, for the whole URL')
    .option('--trusted-root <file>', 'the trusted_root.json of a private Sigstore (default: the public one)')
    .option('--tuf-mirror <url>', 'a TUF repository that has the trusted root')
    .option('--tuf-root <file>', 'the root.json to start from (default: the first one of the mirror)')
    .option('--artifact <file>', 'the artifact that the bundles sign: a file, or sha256:HEX')
    .option('--require-log', 'require an entry in a transparency log')
    .option('--require-timestamp', 'require a timestamp of the signature')
    .option('--offline', 'ask no log: use only what is stored with the signature');
}

/** A list with commas. */
export function names(text: string): readonly string[] {
  return text.split(',').flatMap((name) => (name.trim() === '' ? [] : [name.trim()]));
}

/** A whole number. */
export function atLeast(least: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (/^\d+$/.test(text) && number >= least && number <= 65_535) return number;
    throw new InvalidArgumentError(`It must be a whole number from ${least} to 65535.`);
  };
}
