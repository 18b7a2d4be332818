#!/usr/bin/env bash
# Runs the integration targets, or those named. Modules run with the system's Python, which has the
# distribution's bindings; ansible itself and action plugins with .venv's.
set -euo pipefail
cd "$(dirname "$0")/../.."

version='import sys; print("%d.%d" % sys.version_info[:2])'
system=/usr/bin/python3
run=(ansible-test integration
    --controller "origin:python=$(.venv/bin/python -c "$version")"
    --target "controller:python=$($system -c "$version")@$system")

[ $# -eq 0 ] || exec tests/tools/in_collection.sh "${run[@]}" "$@"

mapfile -t targets < <(find tests/integration/targets -mindepth 1 -maxdepth 1 -type d -printf '%f\n' | sort)
[ ${#targets[@]} -gt 1 ] || { echo 'there are no integration targets' >&2; exit 1; }

# They wait for programs most of the time: two halves at once, every second target each, in copies of their own.
for number in "${!targets[@]}"; do
    if ((number % 2)); then second+=("${targets[number]}"); else first+=("${targets[number]}"); fi
done
mkdir -p .cache
COPY=tree-2 tests/tools/in_collection.sh "${run[@]}" "${second[@]}" >.cache/integration-2.log 2>&1 &
other=$!
trap 'kill "$other" 2>/dev/null || true' EXIT
status=0
tests/tools/in_collection.sh "${run[@]}" "${first[@]}" || status=$?
wait "$other" || status=$?
trap - EXIT
cat .cache/integration-2.log
exit "$status"
