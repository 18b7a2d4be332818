#!/usr/bin/env bash
# Fetches what kinds.sh made into the current folder; prints what is there.
set -euo pipefail
apt-get -q download tool tool:arm64 tool-data tool-dbgsym hello >&2
apt-get -q source tool >&2
find . -mindepth 1 -maxdepth 1 -printf '%f\n' | LC_ALL=C sort
