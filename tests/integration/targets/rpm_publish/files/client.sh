#!/usr/bin/env bash
# A client of its own in $1 with the repository in $1/repos: prints what it sees, and installs $2 into a root.
set -euo pipefail
cd "$1"
options=(
    -q -y --disableplugin='*' --releasever=1 --installroot="$1/client" --setopt="reposdir=$1/repos"
    --setopt="cachedir=$1/cache" --setopt="logdir=$1/logs" --refresh '--setopt=*.skip_if_unavailable=0'
)
mkdir -p client logs
dnf "${options[@]}" repoquery --queryformat '%{name}=%{version}-%{release}' | sort
if [ -n "${2:-}" ]; then
    dnf "${options[@]}" install "$2" >&2
    rpm --root "$1/client" -q "$2" >&2
fi
