#!/usr/bin/env bash
# unpack-debian.sh SUITE PACKAGE PROGRAM FOLDER: puts the program of a package of that Debian suite into FOLDER.
#
# The suite's package lists and the package live in a folder of their own while this runs: neither what is installed nor
# what apt knows of the system's own suite changes. The package comes from the mirror that the system uses, and apt checks
# its signature with Debian's keys.
set -euo pipefail

suite=$1 package=$2 program=$3 folder=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Either of the two may not be there.
mirror=$({ grep -rhoE 'https?://[^ ]+/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d 2> /dev/null || true; } | head -n 1 | tr -d ' ')
[ -n "$mirror" ] || { echo "no source of Debian packages is set up in /etc/apt" >&2; exit 1; }
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" > "$work/sources.list"
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/root"

own=(
  -qq -o "Dir::State=$work" -o "Dir::State::lists=$work/lists" -o Dir::State::status=/var/lib/dpkg/status
  -o "Dir::Cache=$work/cache" -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=-
  -o APT::Sandbox::User=root
)
apt-get "${own[@]}" update
(cd "$work" && apt-get "${own[@]}" download "$package")
dpkg -x "$work"/*.deb "$work/root"
mv "$work/root/usr/bin/$program" "$folder/$program"
