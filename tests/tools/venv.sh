#!/usr/bin/env bash
# Makes .venv: the pinned Python tools, a link that makes this tree an installed collection, and the
# system packages of bindep.txt, with those of the profiles that are named as arguments. Costs some
# milliseconds when nothing has changed.
set -euo pipefail
cd "$(dirname "$0")/../.."

digest=$(cat "$0" bindep.txt requirements/*.txt | sha256sum)
stamp=.venv/stamp${1:+-$1}
if [ "$(cat "$stamp" 2>/dev/null)" = "$digest" ]; then exit 0; fi

root=()
can_install() {
    command -v apt-get >/dev/null || return 1
    [ "$(id -u)" = 0 ] && return 0
    command -v sudo >/dev/null || return 1
    root=(sudo)
    [ -t 0 ] || sudo -n true 2>/dev/null
}

apt_install() {
    echo "Installing system packages: $*"
    "${root[@]}" apt-get -qq update
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "$@" \
        </dev/null >/dev/null  # errors are on the other stream
}

# The system's Python comes first: a version manager's shims on PATH may stand for a Python that is not there.
find_python() {
    local python
    for python in ${PYTHON:-/usr/bin/python3 python3.13 python3.12 python3.11 python3}; do
        "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
        echo "$python"
        return
    done
    return 1
}

if ! python=$(find_python) && can_install; then
    apt_install python3 python3-venv
    python=$(find_python) || true
fi
if [ -z "$python" ]; then
    echo "No Python 3.11 or newer with venv was found: install python3-venv, or say make PYTHON=/path/to/python3" >&2
    exit 1
fi

if ! .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    rm -rf .venv
    "$python" -m venv .venv
fi
if .venv/bin/python -m pip install -q --disable-pip-version-check -r requirements/bootstrap.txt \
    && VIRTUAL_ENV=.venv .venv/bin/uv pip sync -q requirements/bootstrap.txt requirements/dev.txt; then
    :
else
    echo "uv did not work here: going on with pip"
    .venv/bin/python -m pip install -q --disable-pip-version-check -r requirements/dev.txt
fi

mkdir -p .venv/collections/ansible_collections/distrogate
ln -sfn ../../../.. .venv/collections/ansible_collections/distrogate/ci

mapfile -t missing < <(.venv/bin/bindep --brief test "$@")
if [ "${#missing[@]}" != 0 ] && can_install; then
    apt_install "${missing[@]}"
    missing=()
fi
if [ "${#missing[@]}" != 0 ]; then
    echo "Going on without these system packages; tests that need them will fail: ${missing[*]}" >&2
    exit 0  # with no stamp, so that the next call looks again
fi
echo "$digest" >"$stamp"
