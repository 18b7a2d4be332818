#!/usr/bin/env bash
# Prints which clients can read $2 and its snapshot "first": $1/keys/NAME.asc is what the client NAME trusts, and the
# client "served" takes over the repository's key.asc.
set -euo pipefail
here=$(dirname "$0")
cd "$1"
cp "$2/key.asc" keys/served.asc
for key in keys/*.asc; do
    name=$(basename "$key" .asc)
    sources="Types: deb\nURIs: file://$2\nSuites: bookworm bookworm/snapshots/first\nComponents: main\nSigned-By: $PWD/$key\n"
    if printf '%b' "$sources" | "$here/apt.sh" "$PWD/$name" apt-get -q download hello >"keys/$name.log" 2>&1; then
        echo "$name"
    elif ! grep -q NO_PUBKEY "keys/$name.log"; then
        cat "keys/$name.log" >&2
        exit 1
    fi
done
