#!/usr/bin/env bash
# A machine of its own in the folder $1, with the sources of standard input and the configuration in $MORE: updates,
# where a warning is an error, and runs the other words in $1/fetched.
set -euo pipefail
folder=$1
shift
mkdir -p "$folder"/{lists/partial,archives/partial,etc/apt.conf.d,etc/preferences.d,fetched}
touch "$folder/status"
cat >"$folder/machine.sources"
cat >"$folder/apt.conf" <<CONF
Dir::Etc "$folder/etc";
Dir::Etc::SourceList "$folder/machine.sources";
Dir::Etc::SourceParts "-";
Dir::Etc::Trusted "/dev/null";
Dir::Etc::TrustedParts "/dev/null";
Dir::State "$folder";
Dir::State::Lists "$folder/lists";
Dir::State::status "$folder/status";
Dir::Cache "$folder";
Dir::Log "$folder";
APT::Architecture "amd64";
APT::Architectures { "amd64"; "arm64"; };
APT::Sandbox::User "root";
APT::Update::Error-Mode "any";
Acquire::Languages "none";
${MORE:-}
CONF
export APT_CONFIG=$folder/apt.conf
apt-get -q update >"$folder/update.log" 2>&1 || { cat "$folder/update.log" >&2; exit 1; }
if grep '^[WEN]:' "$folder/update.log" >&2; then exit 1; fi
cd "$folder/fetched"
"$@"
