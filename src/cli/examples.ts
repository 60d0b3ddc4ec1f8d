/** A command line, and what it is for. */
export interface Example {
  readonly purpose: string;
  readonly command: string;
}

/** What the help of each command shows; `chains` is the program itself. */
export const examples: Readonly<Record<string, readonly Example[]>> = {
  chains: [
    { purpose: 'See it work; nothing is needed and nothing is kept', command: 'chains demo' },
    {
      purpose: 'Make a key in the cluster, for the controller to sign with',
      command: 'chains keygen --type ecdsa --secret --apply',
    },
    {
      purpose: "Ask why a run is or isn't signed, and check what is",
      command: 'chains explain taskrun/build-x7f2 -n ci',
    },
    {
      purpose: 'Check an image and its provenance',
      command: 'chains verify image registry.example.com/app:1.0 --key cosign.pub --require slsa-v1',
    },
  ],
  controller: [
    {
      purpose: 'Watch the cluster that kubectl talks to',
      command: 'chains controller --signing-secrets keys',
    },
    {
      purpose: 'Watch two namespaces of another cluster, next to a controller that uses the default ports',
      command: 'chains controller --context staging --namespace ci,release --metrics-port 0 --health-port 0',
    },
  ],
  sandbox: [
    { purpose: 'Serve, and print a KUBECONFIG to use in another shell', command: 'chains sandbox' },
    {
      purpose: 'Only the API, on a port of your choice',
      command: 'chains sandbox --port 8001 --no-controller',
    },
  ],
  demo: [
    { purpose: 'See every step', command: 'chains demo' },
    { purpose: 'Use it as a check of an installation', command: 'chains demo > demo.log && echo works' },
  ],
  sign: [
    {
      purpose: 'Sign a run, and keep payload and signature in its annotations',
      command: 'chains sign -f run.yaml --signing-secrets keys -o yaml > signed.yaml',
    },
    {
      purpose: 'Sign all runs of a folder into files, for gpg, openssl or cosign to verify',
      command: 'chains sign -f runs/ --signing-secrets keys -o dir=signed',
    },
    {
      purpose: 'With the configuration and the runs of a cluster',
      command: 'kubectl get taskruns -n ci -o yaml | chains sign -f - --config chains-config.yaml',
    },
  ],
  explain: [
    { purpose: 'A run in the cluster', command: 'chains explain taskrun/build-x7f2 -n ci' },
    {
      purpose: 'Runs in files, under a configuration that is to be tried',
      command: 'chains explain -f run.yaml --config chains-config.yaml',
    },
    {
      purpose: 'The reasons for many runs, for machines',
      command: 'kubectl get pipelineruns,taskruns -o yaml | chains explain -f - -o json | jq .decision',
    },
  ],
  verify: [
    { purpose: 'A run in the cluster', command: 'chains verify taskrun/build-x7f2 -n ci --key cosign.pub' },
    {
      purpose: 'An image, its provenance, and what that must say',
      command:
        'chains verify image registry.example.com/app:1.0 --key cosign.pub \\\n' +
        '    --require slsa-v1 --source-uri https://git.example.com/app',
    },
    {
      purpose: 'A run that is gone, by what a bucket has of it',
      command:
        'chains verify taskrun/build-x7f2 -n ci --key cosign.pub --store gcs \\\n' +
        '    --uid 6f916ff1-65f1-4aa6-902b-5d8de91f750a',
    },
    {
      purpose: 'A Sigstore bundle, signed without a key',
      command:
        'chains verify build.sigstore.json --artifact app.tar \\\n' +
        '    --certificate-identity me@example.com --certificate-oidc-issuer https://accounts.google.com',
    },
  ],
  export: [
    {
      purpose: 'A run, for cosign to verify',
      command: 'chains export taskrun/build-x7f2 -n ci --out build.sigstore.json',
    },
    {
      purpose: 'What a bucket has of it',
      command: 'chains export taskrun/build-x7f2 -n ci --store gcs --out build.sigstore.json',
    },
  ],
  migrate: [
    {
      purpose: 'From the cluster, to be read first',
      command:
        'kubectl get configmap chains-config -n tekton-chains -o yaml | chains migrate > chains-config.yaml',
    },
    { purpose: 'From a file, into the cluster', command: 'chains migrate -f old.yaml | kubectl apply -f -' },
  ],
  keygen: [
    {
      purpose: 'Look at the Secret, then create it',
      command: 'chains keygen --type ecdsa --secret | kubectl apply -f -',
    },
    { purpose: "Files, in cosign's form", command: 'chains keygen --type cosign --out keys' },
    {
      purpose: 'A PGP key, in the cluster at once',
      command: "chains keygen --type pgp --name 'Builds <builds@example.com>' --secret --apply",
    },
  ],
  completion: [
    {
      purpose: 'bash, for you',
      command: 'chains completion bash > ~/.local/share/bash-completion/completions/chains',
    },
    { purpose: 'zsh, in a folder of $fpath', command: 'chains completion zsh > "${fpath[1]}/_chains"' },
    { purpose: 'fish', command: 'chains completion fish > ~/.config/fish/completions/chains.fish' },
    { purpose: 'This shell alone (bash, zsh)', command: 'source <(chains completion bash)' },
  ],
};

/** The examples below the help of a command. */
export function examplesText(name: string): string {
  const lines = (examples[name] ?? []).map(({ purpose, command }) => `  # ${purpose}\n  ${command}\n`);
  return `\nExamples:\n${lines.join('\n')}`;
}
