/** The examples in the help of each command: what for, and the command line. */
export const examples: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  chains: {
    'See it work; it needs nothing and keeps nothing': 'chains demo',
    'Make a key in the cluster, for the controller to sign with':
      'chains keygen --type ecdsa --secret --apply',
    "See why a run is or isn't signed": 'chains explain taskrun/build-x7f2 -n ci',
    'Check an image and its provenance':
      'chains verify image registry.example.com/app:1.0 --key cosign.pub --require slsa-v1',
  },
  controller: {
    'Watch the cluster that kubectl talks to': 'chains controller --signing-secrets keys',
    'Watch two namespaces of another cluster, next to a controller that uses the default ports':
      'chains controller --context staging --namespace ci,release --metrics-port 0 --health-port 0',
  },
  install: {
    'From nothing to a verified signature': 'chains install --image registry.example.com/tekton-chains:0.1.0',
    'Look at the manifests first':
      'chains install --dry-run --image registry.example.com/tekton-chains:0.1.0 | less',
  },
  uninstall: {
    'Leave the key, and no finalizer': 'chains uninstall',
    'From another cluster, with the key': 'chains uninstall --context staging --delete-key',
  },
  sandbox: {
    'Serve, and print a KUBECONFIG to use in another shell': 'chains sandbox',
    'Only the API, on this port': 'chains sandbox --port 8001 --no-controller',
  },
  demo: {
    'See every step': 'chains demo',
    'Check an installation': 'chains demo > demo.log && echo works',
  },
  sign: {
    'Sign a run, and keep payload and signature in its annotations':
      'chains sign -f run.yaml --signing-secrets keys -o yaml > signed.yaml',
    'Sign all runs of a folder into files, for gpg, openssl or cosign to verify':
      'chains sign -f runs/ --signing-secrets keys -o dir=signed',
    'With the configuration and the runs of a cluster':
      'kubectl get taskruns -n ci -o yaml | chains sign -f - --config chains-config.yaml',
  },
  explain: {
    'A run in the cluster': 'chains explain taskrun/build-x7f2 -n ci',
    'Runs in files, with a configuration to try out':
      'chains explain -f run.yaml --config chains-config.yaml',
    'The decisions about many runs, as JSON':
      'kubectl get pipelineruns,taskruns -o yaml | chains explain -f - -o json | jq .decision',
  },
  verify: {
    'A run in the cluster': 'chains verify taskrun/build-x7f2 -n ci --key cosign.pub',
    'An image, and what its provenance must say':
      'chains verify image registry.example.com/app:1.0 --key cosign.pub \\\n' +
      '    --require slsa-v1 --source-uri https://git.example.com/app',
    'A run that is deleted, from what a bucket has':
      'chains verify taskrun/build-x7f2 -n ci --key cosign.pub --store gcs \\\n' +
      '    --uid 6f916ff1-65f1-4aa6-902b-5d8de91f750a',
    'A Sigstore bundle, signed without a key':
      'chains verify build.sigstore.json --artifact app.tar \\\n' +
      '    --certificate-identity me@example.com --certificate-oidc-issuer https://accounts.google.com',
  },
  export: {
    'A run, for cosign to verify': 'chains export taskrun/build-x7f2 -n ci --out build.sigstore.json',
    'The same run, from a bucket':
      'chains export taskrun/build-x7f2 -n ci --store gcs --out build.sigstore.json',
  },
  migrate: {
    'From the cluster into a file, for review':
      'kubectl get configmap chains-config -n tekton-chains -o yaml | chains migrate > chains-config.yaml',
    'From a file, into the cluster': 'chains migrate -f old.yaml | kubectl apply -f -',
  },
  keygen: {
    'Look at the Secret, then create it': 'chains keygen --type ecdsa --secret | kubectl apply -f -',
    "Files, in cosign's form": 'chains keygen --type cosign --out keys',
    'A PGP key, in the cluster at once':
      "chains keygen --type pgp --name 'Builds <builds@example.com>' --secret --apply",
  },
  completion: {
    'bash, for your user': 'chains completion bash > ~/.local/share/bash-completion/completions/chains',
    'zsh, in a folder of $fpath': 'chains completion zsh > "${fpath[1]}/_chains"',
    fish: 'chains completion fish > ~/.config/fish/completions/chains.fish',
    'Only this shell (bash, zsh)': 'source <(chains completion bash)',
  },
};

/** The examples below the help of a command. */
export function examplesText(name: string): string {
  const lines = Object.entries(examples[name] ?? {}).map(
    ([purpose, command]) => `  # ${purpose}\n  ${command}\n`,
  );
  return `\nExamples:\n${lines.join('\n')}`;
}
