#!/usr/bin/env bash
# Removes every gzip file below $1, whatever its name.
set -euo pipefail
find "$1" -type f -print0 | while IFS= read -r -d '' file; do
    if [ "$(head -c 2 "$file" | od -An -tx1)" = ' 1f 8b' ]; then rm "$file"; fi
done
