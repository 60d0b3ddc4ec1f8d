import type { Command } from 'commander';

/** Adds the options that say what is demanded of certificates, logs and timestamps; their names are those of cosign. */
export function withEvidence(command: Command): Command {
  return command
    .option('--certificate-identity <name>', 'whom the certificate of a keyless signature must name')
    .option('--certificate-identity-regexp <re>', 'the same as a regular expression, for the whole name')
    .option('--certificate-oidc-issuer <url>', 'the issuer that it must name')
    .option('--certificate-oidc-issuer-regexp <re>', 'the same as a regular expression, for the whole URL')
    .option('--trusted-root <file>', 'the trusted_root.json of a private Sigstore (default: the public one)')
    .option('--tuf-mirror <url>', 'a TUF repository that has the trusted root')
    .option('--tuf-root <file>', 'the root.json to begin with (default: the first one of the mirror)')
    .option('--artifact <file>', 'what bundles are of: a file, or sha256:HEX')
    .option('--require-log', 'a transparency log must have the signature')
    .option('--require-timestamp', 'a timestamp of the signature must be there')
    .option('--offline', 'ask no log: use only what is stored with the signature');
}
