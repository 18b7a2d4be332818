# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A TE host in a folder: the guard as te_guard installs it, keys, a power command that records its use."""

from __future__ import annotations

import json
import os
import pathlib
import pwd
import subprocess
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._module import Difference
from ansible_collections.distrogate.ci.plugins.module_utils._leases._guard_host import GuardHost
from ansible_collections.distrogate.ci.plugins.module_utils._leases._guard_key import make_key

SIZE = 4 << 20
_POWER = """#!/bin/sh
printf '%s\\n' "$@" >> {record}
case "$1" in
slow)
    echo begun >> {record}
    while [ -e {before} ] && cmp -s {before} {now}; do sleep 0.1; done
    sleep 2
    echo ended >> {record};;
fail) echo no such domain; exit 3;;
esac
"""


class Done(t.NamedTuple):
    """What one call of the guard answered."""

    status: int
    answer: dict[str, t.Any]
    output: bytes


class Host:
    """Calls go straight to the program, as sshd would make them."""

    def __init__(self, folder: pathlib.Path, power_timeout: float = 30) -> None:
        self.folder, self.power_timeout = folder, power_timeout
        self.user = pwd.getpwuid(os.getuid()).pw_name
        self.state, self.log, self.record = folder / "state", folder / "log", folder / "record"
        self.pool_key, self.other_pool_key = str(folder / "pool"), str(folder / "other")
        self.before, self.now = folder / "before", self.state / "te" / "te1"
        self.keys = {name: make_key(str(folder / name)) for name in ("pool", "other", "a", "b", "c")}
        (folder / "power").write_text(_POWER.format(record=self.record, before=self.before, now=self.now))
        (folder / "power").chmod(0o755)
        (folder / "console").write_bytes(b"x" * 70000 + b"login: ")
        self.tes = {"te1": self.te("te1"), "te2": self.te("te2"), "other1": {"pool": "other"}}
        self.install()

    def te(self, name: str) -> dict[str, t.Any]:
        power = str(self.folder / "power")
        commands = {"on": "on", "off": "slow", "reset": "fail", "status": "; touch /tmp/x `id`"}
        return {
            "pool": "pool",
            "disks": {"root": {"path": str(self.disk(name)), "size": SIZE}},
            "power": {action: [power, word, name] for action, word in commands.items()},
            "console": str(self.folder / "console"),
        }

    def slow_until_raised(self) -> None:
        """Let "power off" of te1 take until its fence is raised, and then a little."""
        self.before.write_bytes(self.now.read_bytes())

    def disk(self, te: str = "te1") -> pathlib.Path:
        return self.folder / f"{te}.img"

    @property
    def options(self) -> dict[str, t.Any]:
        return {
            "user": self.user,
            "directory": str(self.state),
            "authorized_keys": str(self.state / ".ssh" / "authorized_keys"),
            "program": str(self.folder / "lib" / "te_guard.pyz"),
            "configuration": str(self.folder / "etc" / "guard.json"),
            "python": "/usr/bin/python3",
            "log": str(self.log),
            "power_timeout": self.power_timeout,
            "pools": {"pool": [self.keys["pool"]], "other": [self.keys["other"]]},
            "tes": self.tes,
        }

    def install(self, write: bool = True, state: str = "present", **options: t.Any) -> Difference:
        """Do what te_guard does; what was different."""
        difference = Difference()
        host = GuardHost({**self.options, **options}, write)
        (host.present if state == "present" else host.absent)(difference)
        return difference

    def argv(self, key: str) -> list[str]:
        """What sshd would run for a key, which it finds in authorized_keys."""
        blob = self.keys[key].split()[1]
        lines = [line for line in self.lines() if f" {blob} " in line.split('"')[2]]
        assert len(lines) == 1, f"{key} is in {len(lines)} lines"
        return lines[0].split('"')[1].split()

    def lines(self) -> list[str]:
        path = self.state / ".ssh" / "authorized_keys"
        return [line for line in path.read_text().splitlines() if not line.startswith("#")]

    def call(self, key: str, command: str | None, stdin: bytes = b"", *tracer: str) -> Done:
        """One connection with a key."""
        environment = {"SSH_CONNECTION": "192.0.2.1 4711 192.0.2.9 22", "PATH": os.environ["PATH"]}
        if command is not None:
            environment["SSH_ORIGINAL_COMMAND"] = command
        done = subprocess.run(
            [*tracer, *self.argv(key)],
            input=stdin,
            env=environment,
            capture_output=True,
            check=False,
            timeout=60,
        )
        assert b"Traceback" not in done.stderr, done.stderr.decode()
        return Done(done.returncode, _answer(done.stdout), done.stdout)

    def raise_fence(self, fence: int, key: str = "a", ttl: int = 60, te: str = "te1", *tracer: str) -> Done:
        pool = "other" if te == "other1" else "pool"
        return self.call(pool, f"raise {te} {fence} {ttl}", self.keys[key].encode(), *tracer)

    def known(self, te: str = "te1") -> dict[str, t.Any]:
        """The guard's own state of a TE."""
        path = self.state / "te" / te
        found = json.loads(path.read_text()) if path.exists() else {"fence": 0, "key": ""}
        return dict(found)

    def logged(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []


def _answer(output: bytes) -> dict[str, t.Any]:
    try:
        found = json.loads(output.splitlines()[-1] if output else b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
