#!/usr/bin/env bash
# Makes two repositories with two commits each in the directory $1; prints their artifacts as JSON.
set -euo pipefail
cd "$1"
export HOME=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=Test GIT_AUTHOR_EMAIL=test@example.org
export GIT_COMMITTER_NAME=Test GIT_COMMITTER_EMAIL=test@example.org
separator='['
for name in nova glance; do
    git init --quiet --initial-branch=main "$name"
    for text in first second; do
        echo "$name $text" >"$name/text"
        git -C "$name" add text
        git -C "$name" commit --quiet --message "Have $text"
    done
    git clone --quiet --bare "$name" "$name.git" 2>/dev/null
    for commit in main~1 main; do
        printf '%s{"type": "git_commit", "name": "%s", "url": "file://%s/%s.git", "commit": "%s", "tree": "%s"}' \
            "$separator" "$name" "$PWD" "$name" "$(git -C "$name" rev-parse "$commit")" \
            "$(git -C "$name" rev-parse "$commit^{tree}")"
        separator=', '
    done
done
echo ']'
