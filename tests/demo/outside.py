# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is looked at from outside: what readers, mirrors and channels see, and what must never be seen."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

from ansible_collections.distrogate.ci.tests.demo.site import REPOSITORY, Site


def digests(folder: Path) -> dict[str, str]:
    """Every file below a folder with its digest; locks and journals of the tools left out."""
    found = {}
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if path.is_file() and ".distrogate" not in path.parts:
            found[str(path.relative_to(folder))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def ansible(site: Site, module: str, **options: Any) -> dict[str, Any]:
    """The result of one module or action, as ad-hoc Ansible gives it."""
    environment = {
        **site.environment,
        "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.json",
        "ANSIBLE_LOAD_CALLBACK_PLUGINS": "1",
    }
    argv = [str(REPOSITORY / ".venv/bin/ansible"), "-i", str(REPOSITORY / "inventories/local"), "localhost"]
    argv += ["-m", f"distrogate.ci.{module}", "-a", json.dumps(options)]
    done = subprocess.run(argv, env=environment, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    text = done.stdout[done.stdout.index("{") :]  # what it says while it works comes before
    result = json.loads(text)["plays"][0]["tasks"][0]["hosts"]["localhost"]
    if done.returncode:
        raise AssertionError(f"{module} failed: {result.get('msg')}")
    return dict(result)


def store(site: Site) -> str:
    """The local profile's store."""
    return f"sqlite://{site.root}/store/store.db"


def public_state(site: Site) -> dict[str, Any]:
    """What a change that fails must not move: release repositories, mirrors, channels."""
    channels = [
        (bundle["digest"], bundle["channels"])
        for bundle in ansible(site, "bundle_info", store=store(site))["bundles"]
    ]
    return {
        "release": digests(site.root / "repositories/release"),
        "mirror1": digests(site.mirror(1)),
        "mirror2": digests(site.mirror(2)),
        "channels": [entry for entry in channels if entry[1]],
    }


def free_tes(site: Site) -> list[str]:
    """The names of TEs that nobody holds."""
    found = ansible(site, "te_info", store=store(site))["tes"]
    return [te["name"] for te in found if te["status"] == "free"]


def secrets(site: Site) -> dict[str, bytes]:
    """Everything that must not appear anywhere, by what it is."""
    pem = (site.root / "keys/statement.pem").read_bytes().splitlines()[1]
    found = {
        "statement key": pem,
        "mirror password": (site.root / "keys/mirror-password").read_bytes().strip(),
    }
    for path in (site.root / "keys/gnupg/private-keys-v1.d").glob("*.key"):
        found[f"OpenPGP key {path.name}"] = path.read_bytes()[40:80]
    return found


def leaks(site: Site, output: str) -> list[str]:
    """Where a secret appears: in a run directory, a repository, or what was printed."""
    found = []
    for what, secret in secrets(site).items():
        if secret in output.encode():
            found.append(f"{what} in the output")
        for folder in ("runs", "repositories", "mirrors"):
            for path in (site.root / folder).rglob("*"):
                wanted = path.suffix not in (".deb", ".rpm", ".secrets", ".git") and path.is_file()
                if wanted and not path.is_symlink() and secret in path.read_bytes():
                    found.append(f"{what} in {path}")
    return found
