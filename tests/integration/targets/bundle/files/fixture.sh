#!/usr/bin/env bash
# Makes keys, and the run directory that stages would leave, in the directory $1; prints the OpenPGP fingerprint.
set -euo pipefail
cd "$1"
mkdir -m 700 gnupg
gpg --homedir gnupg --batch --quiet --passphrase '' --quick-gen-key 'Test <test@example.org>' ed25519 sign never
for name in ci release stranger; do
    openssl genpkey -algorithm ed25519 -out "$name.pem" 2>/dev/null
    openssl pkey -in "$name.pem" -pubout -out "$name.pub"
done

run() { # name version
    local artifacts=$1/artifacts build=build/$1
    mkdir -p "$artifacts" "$1/stages" "$1/statements" "$1/logs" "$build/deb/DEBIAN" "$build/rpm"
    printf 'Package: hello\nVersion: %s-1\nArchitecture: all\nMaintainer: Test <test@example.org>\nDescription: test\n' \
        "$2" >"$build/deb/DEBIAN/control"
    dpkg-deb --root-owner-group --build "$build/deb" "$artifacts/hello_$2-1_all.deb" >/dev/null
    printf 'Name: hello\nVersion: %s\nRelease: 1\nSummary: test\nLicense: MIT\nBuildArch: noarch\n%%description\ntest\n%%files\n' \
        "$2" >"$build/hello.spec"
    rpmbuild -bb --quiet --define "_topdir $PWD/$build/rpm" "$build/hello.spec"
    cp "$build/rpm/RPMS/noarch/hello-$2-1.noarch.rpm" "$artifacts/"
    python3 - "$1" "$2" <<'PY'
import hashlib, json, pathlib, sys

run, version = pathlib.Path(sys.argv[1]), sys.argv[2]


def write(name, value):
    (run / name).write_text(json.dumps({"version": 1, **value}))


def stage(name, started, **more):
    record = dict(stage=name, verdict="success", started="2026-01-01T00:00:00.000Z", started_ns=started, seconds=1.5)
    record.update(inputs={}, artifacts=[], facts={}, logs=[], message="", reason="")
    record.update(more)
    write(f"stages/{name}.json", record)


def artifact(path):
    data = path.read_bytes()
    facts = dict(package="hello", package_version=f"{version}-1", sha256=hashlib.sha256(data).hexdigest())
    return dict(type=path.suffix[1:], name=path.name, path=f"artifacts/{path.name}", size=len(data), **facts)


change = dict(project="hello", branch="main", commit="1" * 40, change_id=version, patch_set="1", ref="")
write("run.json", dict(created="2026-01-01T00:00:00Z", pipeline="gate", queue=[change], projects={}))
tree = hashlib.sha1(version.encode()).hexdigest()
stage("build", 1, artifacts=[artifact(path) for path in sorted((run / "artifacts").iterdir())])
stage("install_test", 3)
stage("workspace", 0, facts={"projects": {"hello": {"tree": tree}}})
PY
}
run first 1.0
run second 2.0
mkdir -p build/stranger/DEBIAN
printf 'Package: stranger\nVersion: 1\nArchitecture: all\nMaintainer: Test <test@example.org>\nDescription: test\n' \
    >build/stranger/DEBIAN/control
dpkg-deb --root-owner-group --build build/stranger stranger_1_all.deb >/dev/null
gpg --homedir gnupg --batch --with-colons --list-secret-keys | awk -F: '$1 == "fpr" { print $10; exit }'
