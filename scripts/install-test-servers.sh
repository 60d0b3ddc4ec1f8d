#!/usr/bin/env bash
# Builds and installs the real servers and tools that `npm run test:servers` runs against.
#
# Each lands in its own folder, named for program and version, below
# ${XDG_CACHE_HOME:-$HOME/.cache}/tekton-chains-test-servers. A folder is written whole or not at all, so that a
# second run, or a fresh clone, finds what is there and does nothing.
#
# Needs: Go 1.26 or later, the Go module proxy, Maven's central repository, and Debian's apt-get and package archive for
# the small tools, cosign, and Java 17 and Maven where they are missing.
set -euo pipefail

project=$(cd "$(dirname "$0")/.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/tekton-chains-test-servers
mkdir -p "$cache"
# One installation at a time: a second one waits and then finds everything in place.
exec 9> "$cache/.lock"
flock 9

say() { printf '%s  %s\n' "$(date +%H:%M:%S)" "$*"; }

# install NAME BUILD…: runs BUILD with an empty folder as its last argument, and keeps the folder if BUILD succeeded.
install() {
  local name=$1 folder started
  shift
  if [ -d "$cache/$name" ]; then
    say "$name is there"
    return
  fi
  say "$name: building, this can take minutes"
  started=$SECONDS
  folder=$(mktemp -d "$cache/.$name.XXXXXX")
  "$@" "$folder" || { rm -rf "$folder"; say "$name could not be built"; exit 1; }
  chmod 755 "$folder"
  mv -T "$folder" "$cache/$name"
  say "$name built in $((SECONDS - started)) s"
}

# go_program MODULE PACKAGE PROGRAM LDFLAGS FOLDER
go_program() {
  (cd "$project/test/servers/$1" && go build -mod=readonly -trimpath -ldflags "-s -w $4" -o "$5/$3" "$2")
}

# java_program FOLDER OF A POM.XML, FOLDER: the jars of a program.
java_program() {
  mvn -q -B -f "$project/test/servers/$1/pom.xml" dependency:copy-dependencies -DincludeScope=runtime "-DoutputDirectory=$2"
}

# The servers of the stores gcs, docdb and pubsub; Firestore has none to install.
store_servers() {
  install fake-gcs-server-1.52.2 go_program gcs github.com/fsouza/fake-gcs-server fake-gcs-server ""
  install ferretdb-1.24.2 go_program mongo . ferretdb ""
  install docstore-0.40.0 go_program docstore . docstore ""
  install dynamodb-local-2.6.1 java_program dynamodb
  install kafka-4.1.0 java_program kafka
}

# A private Sigstore: its certificate authority, timestamps, and both generations of its transparency log.
sigstore_servers() {
  local trillian=github.com/google/trillian
  install fulcio-1.8.8 go_program sigstore/fulcio github.com/sigstore/fulcio fulcio ""
  install timestamp-2.1.3 go_program sigstore/timestamp \
    github.com/sigstore/timestamp-authority/v2/cmd/timestamp-server timestamp-server ""
  install rekor-tiles-2.3.0 go_program sigstore/rekor-tiles \
    github.com/sigstore/rekor-tiles/v2/cmd/rekor-server/posix rekor-tiles ""
  install rekor-1.5.4 go_program sigstore/rekor github.com/sigstore/rekor/cmd/rekor-server rekor-server ""
  install trillian-log-1.7.3 go_program sigstore/trillian $trillian/cmd/trillian_log_server trillian_log_server ""
  install trillian-signer-1.7.3 go_program sigstore/trillian $trillian/cmd/trillian_log_signer trillian_log_signer ""
  install trillian-schema-1.7.3 trillian_schema
}

# trillian_schema FOLDER: the tables that Trillian keeps its logs in.
trillian_schema() {
  local module
  module=$(cd "$project/test/servers/sigstore/trillian" && go list -mod=readonly -m -f '{{.Dir}}' github.com/google/trillian)
  command install -m 644 "$module/storage/mysql/schema/storage.sql" "$1/trillian.sql"
}

# tekton FOLDER: controller and webhook of Tekton Pipelines, and the manifests of the same version.
tekton() {
  local program module
  # Without a revision, seven hexadecimal digits, the programs look for one in Git and end.
  for program in controller webhook; do
    go_program tekton "github.com/tektoncd/pipeline/cmd/$program" "$program" "-X knative.dev/pkg/changeset.rev=1150000" "$1"
  done
  module=$(cd "$project/test/servers/tekton" && go list -mod=readonly -m -f '{{.Dir}}' github.com/tektoncd/pipeline)
  cp -r --no-preserve=mode "$module/config" "$1/config"
}

debian_tools() {
  local missing=() tool
  # Each package is named for its command, but for gpg.
  for tool in openssl jq gpg zsh fish; do command -v "$tool" > /dev/null || missing+=("${tool/gpg/gnupg}"); done
  command -v java > /dev/null || missing+=(default-jre-headless)
  command -v mvn > /dev/null || missing+=(maven)
  command -v mariadbd > /dev/null || missing+=(mariadb-server)
  if [ ${#missing[@]} -gt 0 ]; then
    say "installing ${missing[*]} with apt-get"
    apt-get update -qq && apt-get install -y -qq "${missing[@]}" > /dev/null
  fi
}

# What tests of the store `oci` need beside cosign.
registries() {
  install docker-registry-2.8 "$project/scripts/unpack-debian.sh" bookworm docker-registry docker-registry
  install registry-0.22.1 go_program registry . registry ""
  install oras-1.2 "$project/scripts/unpack-debian.sh" trixie oras oras
}

command -v go > /dev/null || { echo "go is missing: install Go 1.26 or later and run this again" >&2; exit 1; }
debian_tools

kubernetes=1.36.3
version="-X k8s.io/component-base/version.gitVersion=v$kubernetes"
version+=" -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=36"
install etcd-3.6.8 go_program kubernetes go.etcd.io/etcd/server/v3 etcd ""
install "kubectl-$kubernetes" go_program kubernetes k8s.io/kubernetes/cmd/kubectl kubectl "$version"
install "kube-apiserver-$kubernetes" go_program kubernetes k8s.io/kubernetes/cmd/kube-apiserver kube-apiserver "$version"
install helm-3.22.0 go_program helm helm.sh/helm/v3/cmd/helm helm "-X helm.sh/helm/v3/internal/version.version=v3.22.0"
# It collects garbage and gives namespaces their service accounts, for Tekton.
install "kube-controller-manager-$kubernetes" go_program kubernetes \
  k8s.io/kubernetes/cmd/kube-controller-manager kube-controller-manager "$version"
install tekton-1.15.0 tekton
install cosign-2.5 "$project/scripts/unpack-debian.sh" trixie cosign cosign
install cosign-3.1 "$project/scripts/unpack-debian.sh" sid cosign cosign
install vault-1.13.0 go_program vault github.com/hashicorp/vault vault ""
store_servers
registries
sigstore_servers
install otelcol-0.165.0 go_program collector . otelcol ""
install promtool-3.5 "$project/scripts/unpack-debian.sh" sid promtool promtool
say "all test servers are in $cache"
