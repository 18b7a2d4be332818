#!/usr/bin/env bash
# Runs a command in a copy of the tree at .cache/tree/ansible_collections/distrogate/ci: ansible-test insists
# on such a path, resolves links, and reads git. The copy holds what git would commit, so nothing else leaks in.
# COPY names another copy, and with it another HOME, for who runs two at once. BUILT=yes leaves out what a built
# collection does not hold (build_ignore in galaxy.yml).
set -euo pipefail
cd "$(dirname "$0")/../.."
copy=$PWD/.cache/${COPY:-tree}/ansible_collections/distrogate/ci

without=()
if [ "${BUILT:-}" = yes ]; then
    mapfile -t without < <(sed -n '/^build_ignore:/,$s/^  - \(tests\/.*\)$/:!\1/p' galaxy.yml)
fi
mkdir -p "$copy"
git ls-files -z --cached --others --exclude-standard -- . "${without[@]}" | while IFS= read -r -d '' file; do
    if [ -e "$file" ] || [ -L "$file" ]; then printf '%s\0' "$file"; fi  # not what was deleted a moment ago
done >"$copy/../files"
find "$copy" -mindepth 1 -maxdepth 1 ! -name .git -exec rm -rf {} +
rsync -a --from0 --files-from="$copy/../files" ./ "$copy/"

# Only the tools of .venv and of the system: shims of version managers stand for Pythons without our packages.
export PATH=$PWD/.venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
HOME=$(.venv/bin/python tests/tools/ansible_test_home.py ".cache/home${COPY:+-$COPY}")
export HOME
unset ANSIBLE_CONFIG PYTHONPATH
cd "$copy"
[ -d .git ] || git init -q
git add -A
exec "$@" </dev/null
