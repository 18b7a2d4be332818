#!/usr/bin/env bash
# A client of its own in $1 with the sources in $1/client.sources: updates, prints what it sees, and fetches $2.
set -euo pipefail
cd "$1"
mkdir -p client/{lists/partial,cache/archives/partial,etc/apt.conf.d,etc/preferences.d,fetched}
touch client/status
options=(
    -o "Dir::Etc::SourceList=$1/client.sources" -o "Dir::Etc::SourceParts=-" -o "Dir::Etc::Trusted=/dev/null"
    -o "Dir::Etc::TrustedParts=$1/client/etc" -o "Dir::State::Lists=$1/client/lists"
    -o "Dir::State::Status=$1/client/status" -o "Dir::Cache=$1/client/cache" -o "APT::Architecture=amd64"
    -o "APT::Sandbox::User=root" -o "APT::Update::Error-Mode=any" -o "Acquire::Languages=none"
)
apt-get "${options[@]}" -qq update
apt-cache "${options[@]}" madison hello glance | awk -F'|' '{ gsub(/ /, ""); print $1 "=" $2 }' | tr -d ' ' | sort
if [ -n "${2:-}" ]; then
    cd client/fetched
    apt-get "${options[@]}" -qq download "$2"
fi
