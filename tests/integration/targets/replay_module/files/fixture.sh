#!/usr/bin/env bash
# Makes the project hello in the directory $1, with three changes under review: 1, 2, and 3 that conflicts with 1.
set -euo pipefail
mkdir -p "$1/review/hello"
cd "$1/review/hello"
export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@example.org
export GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@example.org
git init -q -b main
echo one >file
git add file
git commit -q -m base

change() { # number file text
    git checkout -q --detach main
    echo "$3" >"$2"
    git add "$2"
    git commit -q -m "change $1"
    git update-ref "refs/changes/0$1/$1/1" HEAD
    git checkout -q main
}
change 1 file mine
change 2 other new
change 3 file yours
