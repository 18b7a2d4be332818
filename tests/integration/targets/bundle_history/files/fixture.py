# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes keys, and two run directories that stages would leave, in the folder given."""

from __future__ import annotations

import hashlib
import json
import pathlib
import subprocess
import sys

EVIL = "</script><img src=x onerror=alert(1)>"


def record(name: str, started: int, **more: object) -> dict[str, object]:
    """A stage's record."""
    return {
        "version": 1,
        "stage": name,
        "verdict": "success",
        "started": "2026-01-01T00:00:00.000Z",
        "started_ns": started,
        "seconds": 1.5,
        "inputs": {},
        "artifacts": [],
        "facts": {},
        "logs": [],
        "message": "",
        "reason": "",
        **more,
    }


def run(folder: pathlib.Path, version: str) -> None:
    """A run directory with one package, and one whose name would do harm."""
    for name in ("artifacts", "stages", "statements", "logs"):
        (folder / name).mkdir(parents=True)
    artifacts = []
    for number, package in enumerate(("hello", EVIL)):
        path = folder / "artifacts" / f"{number}_{version}_all.deb"
        path.write_text(package + version)
        facts = {"package": package, "package_version": version, "architecture": "all"}
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        place = {"name": path.name, "path": f"artifacts/{path.name}", "size": path.stat().st_size}
        artifacts.append({"type": "deb", "sha256": sha256, **place, **facts})
    change = {"project": "hello", "branch": "main", "commit": hashlib.sha1(version.encode()).hexdigest()}
    queue = [{**change, "change_id": version, "patch_set": "1", "ref": ""}]
    frozen = {"version": 1, "created": "2026-01-01T00:00:00Z", "pipeline": "gate", "queue": queue}
    (folder / "run.json").write_text(json.dumps(frozen))
    records = [record("build", 1, artifacts=artifacts), record("install_test", 3)]
    for one in records:
        (folder / "stages" / f"{one['stage']}.json").write_text(json.dumps(one))


def main() -> None:
    """Make all of it."""
    folder = pathlib.Path(sys.argv[1])
    for name in ("ci", "release"):
        pem, public = str(folder / f"{name}.pem"), str(folder / f"{name}.pub")
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", pem], check=True)
        subprocess.run(["openssl", "pkey", "-in", pem, "-pubout", "-out", public], check=True)
    run(folder / "first", "1.0-1")
    run(folder / "second", "2.0-1")


if __name__ == "__main__":
    main()
