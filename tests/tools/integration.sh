#!/usr/bin/env bash
# Runs the integration targets, or those named. Modules run with the system's Python, which has the
# distribution's bindings; ansible itself and action plugins with .venv's.
set -euo pipefail
cd "$(dirname "$0")/../.."

compgen -G 'tests/integration/targets/*/' >/dev/null || { echo 'there is no integration target' >&2; exit 1; }
version='import sys; print("%d.%d" % sys.version_info[:2])'
system=/usr/bin/python3
exec tests/tools/in_collection.sh ansible-test integration \
    --controller "origin:python=$(.venv/bin/python -c "$version")" \
    --target "controller:python=$($system -c "$version")@$system" "$@"
