#!/bin/sh
# A result of a run that is gone, a killed stage, an old run, a new one, a pinned one, a promotion that died, a
# sandbox, and a test repository of a merged change.
set -eu
cd "$1"
for run in old new pinned; do
    mkdir -p "runs/$run/stages"
    echo '{}' >"runs/$run/run.json"
done
mkdir -p te/te1/3/upper test/check-7-1-0123456789/run/apt \
    "incoming/dead/$(printf '0%.0s' $(seq 64))" release/.distrogate/transactions/half
ln -s run test/check-7-1-0123456789/latest
mkdir outside
echo precious >outside/file
ln -s ../../outside runs/old/workspace
mkdir shared runs/new/under_way
echo '{"run": "/nowhere"}' >shared/build-1.json
echo '{}' >runs/new/under_way/build.json
touch -d '20 days ago' shared/build-1.json runs/new/under_way/build.json
find runs/old runs/pinned te incoming -exec touch -h -d '20 days ago' {} +
