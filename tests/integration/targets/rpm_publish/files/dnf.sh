#!/usr/bin/env bash
# A machine of its own in the folder $1, with the repositories of standard input: dnf with the other words.
set -euo pipefail
folder=$1
shift
mkdir -p "$folder"/{repos,root,none}
cat >"$folder/repos/test.repo"
exec dnf -q -y --disableplugin='*' --releasever=1 --installroot="$folder/root" --setopt="reposdir=$folder/repos" \
    --setopt="cachedir=$folder/cache" --setopt="logdir=$folder" --setopt="varsdir=$folder/none" --refresh \
    '--setopt=*.skip_if_unavailable=0' "$@"
