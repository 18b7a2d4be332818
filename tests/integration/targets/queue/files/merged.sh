#!/usr/bin/env bash
# Makes the project hello below $1 with the script $2, merges changes 1 and 2 in it, and says their commits.
set -euo pipefail
"$2" "$1"
: >"$1/results.json" # as Zuul does before a job
cd "$1/review/hello"
export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=Z GIT_AUTHOR_EMAIL=z@example.org
export GIT_COMMITTER_NAME=Z GIT_COMMITTER_EMAIL=z@example.org
git merge -q --no-edit refs/changes/01/1/1
git merge -q --no-edit refs/changes/02/2/1
git rev-parse refs/changes/01/1/1 refs/changes/02/2/1
