#!/usr/bin/env bash
# Prints the name and digest of every file below $1, but that of the lock, which says who had it last.
set -euo pipefail
cd "$1"
find . -type f ! -path ./.distrogate/lock -print0 | sort -z | xargs -0 sha256sum
find . -type l -printf '%p -> %l\n' | sort
