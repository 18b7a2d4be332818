#!/usr/bin/env bash
# Prints which clients can read $2 and its snapshot "first": $1/keys/NAME.asc is what the client NAME trusts, and the
# client "served" takes over the repository's key.asc.
set -euo pipefail
here=$(dirname "$0")
cd "$1"
cp "$2/key.asc" keys/served.asc
for key in keys/*.asc; do
    name=$(basename "$key" .asc)
    rest="enabled=1\ngpgcheck=0\nrepo_gpgcheck=1\ngpgkey=file://$PWD/$key\n"
    repositories="[test]\nname=test\nbaseurl=file://$2\n${rest}[first]\nname=first\nbaseurl=file://$2/snapshots/first\n$rest"
    if printf '%b' "$repositories" | "$here/dnf.sh" "$PWD/$name" repoquery hello >"keys/$name.log" 2>&1; then
        echo "$name"
    elif ! grep -q 'Bad GPG signature' "keys/$name.log"; then
        cat "keys/$name.log" >&2
        exit 1
    fi
done
