#!/usr/bin/env bash
# Serves the folder $1 on loopback until the process in $1.pid ends; prints the address.
set -euo pipefail
mkdir -p "$1"
: >"$1.log"
setsid python3 -u -m http.server 0 --bind 127.0.0.1 --directory "$1" >"$1.log" 2>&1 </dev/null &
echo $! >"$1.pid"
for _ in {1..100}; do
    port=$(sed -n 's/.* port \([0-9]*\) .*/\1/p' "$1.log")
    if [ -n "$port" ]; then
        echo "http://127.0.0.1:$port"
        exit
    fi
    sleep 0.1
done
cat "$1.log" >&2
exit 1
